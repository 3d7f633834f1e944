"use strict";
// Shows every call of the document that the service serves beside this page, and tries it.
// The token lives in its field only. Text is never read as HTML.

const METHODS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);

/** Makes an element; `attributes` with null or false are left out. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Text with what stands between backticks as code. */
function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? make("code", {}, part) : part));
}

/** The members of an object in the order of the contract. */
function members(node) {
  const order = node["x-order"] || [];
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(node.properties).sort(([one], [other]) => place(one) - place(other));
}

/** What a `$ref` stands for. */
function resolve(api, node) {
  if (!node || !node.$ref) return node || {};
  return node.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
}

const LIMITS = [["minimum", "≥ "], ["maximum", "≤ "], ["minLength", "length ≥ "], ["maxLength", "length ≤ "],
  ["minItems", "items ≥ "], ["maxItems", "items ≤ "], ["pattern", ""]];

/** A schema as a few lines of text. */
function outline(api, schema, indent = "", depth = 0) {
  const node = resolve(api, schema);
  const inner = indent + "  ";
  const parts = node.oneOf || node.anyOf;
  if (depth > 6) return "…";
  if (parts) return parts.map((part) => outline(api, part, indent, depth + 1)).join(" | ");
  if (node.allOf) return node.allOf.map((part) => outline(api, part, indent, depth + 1)).join(" & ");
  if (node.properties) {
    const required = node.required || [];
    const lines = members(node).map(([name, member]) =>
      inner + name + (required.includes(name) ? "" : "?") + ": " + outline(api, member, inner, depth + 1));
    return "{\n" + lines.join("\n") + "\n" + indent + "}";
  }
  // What is larger than a number of this language can tell exactly is no limit for a reader.
  const said = (key) => node[key] !== undefined && !(node[key] > Number.MAX_SAFE_INTEGER);
  const limits = LIMITS.filter(([key]) => said(key)).map(([key, sign]) => sign + node[key]);
  const suffix = limits.length ? " (" + limits.join(", ") + ")" : "";
  if (node.items) return "[" + outline(api, node.items, indent, depth + 1) + "]" + suffix;
  if (node.enum && node.enum.length > 12) return "one of " + node.enum.length + " " + node.type + "s";
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  return [].concat(node.type || "anything").join(" | ") + (node.format ? " " + node.format : "") + suffix;
}

/** A value that a schema allows: its example, or one made of its members'. */
function sample(api, schema, depth = 0) {
  const node = resolve(api, schema);
  if (node.examples) return inOrder(node, node.examples[0]);
  if (node.example !== undefined) return node.example;
  if (node.default !== undefined) return node.default;
  if (node.enum) return node.enum[0];
  const part = (node.oneOf || node.anyOf || []).find((one) => one.type !== "null");
  if (part && depth < 6) return sample(api, part, depth + 1);
  if (node.properties) {
    const named = members(node).filter(([name]) => (node.required || []).includes(name));
    return Object.fromEntries(named.map(([name, member]) => [name, sample(api, member, depth + 1)]));
  }
  if (node.items) return [sample(api, node.items, depth + 1)];
  if (node.type === "integer" || node.type === "number") return node.minimum || 0;
  return node.type === "boolean" ? false : "text";
}

/** An example with its members in the order of the contract. */
function inOrder(node, value) {
  if (!node.properties || !value || typeof value !== "object") return value;
  const names = members(node).map(([name]) => name).filter((name) => name in value);
  return Object.fromEntries(names.map((name) => [name, value[name]]));
}

/** Who may make a call, in words. */
function callers(operation) {
  const wanted = (operation.security || []).map((one) => Object.keys(one)[0] || "anyone");
  return wanted.length && !wanted.includes("anyone") ? wanted.join(" or ") : "anyone";
}

function parametersTable(api, operation, inputs) {
  const rows = (operation.parameters || []).map((parameter) => {
    const input = make("input", { "aria-label": parameter.name, spellcheck: "false" });
    if (parameter.in === "path") input.value = chosen.get(own + "Id") || "";
    inputs.push({ parameter, input });
    const name = parameter.name + (parameter.required ? " *" : "");
    return make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, parameter.in),
      make("td", {}, input), make("td", {}, outline(api, parameter.schema)),
      make("td", { class: "note" }, ...prose(parameter.description || "")));
  });
  if (!rows.length) return null;
  return make("section", {}, make("h3", {}, "Parameters"),
    make("div", { class: "scroll" }, make("table", {}, ...rows)));
}

function bodyEditor(api, operation, inputs) {
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  if (!content) return null;
  const needed = operation.requestBody.required;
  const text = needed ? JSON.stringify(withGiven(operation, sample(api, content.schema)), null, 2) : "";
  const rows = Math.max(3, text.split("\n").length + 1);
  const editor = make("textarea", { rows, "aria-label": "request body", spellcheck: "false" });
  editor.value = text;
  inputs.body = editor;
  return make("section", {}, make("h3", {}, needed ? "Body" : "Body (may be left out)"), editor,
    make("pre", {}, outline(api, content.schema)));
}

function answersTable(api, operation) {
  const rows = Object.entries(operation.responses).map(([status, given]) => {
    const answer = resolve(api, given);
    const content = Object.entries(answer.content || {})[0];
    const shape = content && content[0] === "application/json"
      ? make("pre", {}, outline(api, content[1].schema)) : content ? make("span", {}, content[0]) : null;
    const headers = Object.keys(answer.headers || {}).join(", ");
    const problem = (answer.content || {})["application/problem+json"];
    const codes = problem ? ((problem.schema.properties || {}).code || {}).enum || [] : [];
    const pages = codes.map((code) => make("a", { href: "/problems/" + code }, code));
    return make("tr", {}, make("td", { class: status < "400" ? "good" : "bad" }, status),
      make("td", {}, ...prose(answer.description || ""), " ", ...pages.flatMap((page) => [page, " "]),
        make("div", { class: "note" }, headers), codes.length ? null : shape));
  });
  return make("section", {}, make("h3", {}, "Answers"), make("div", { class: "scroll" }, make("table", {}, ...rows)));
}

/** The request that the fields describe. */
function requestOf(call, inputs) {
  const query = new URLSearchParams();
  const headers = {};
  let path = call.path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") path = path.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (parameter.in === "query") query.append(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  const token = byId("token").value;
  if (token) headers.authorization = "Bearer " + token;
  const body = inputs.body && inputs.body.value.trim() ? inputs.body.value : undefined;
  if (body !== undefined) headers["content-type"] = "application/json";
  const text = query.toString();
  return { url: path + (text ? "?" + text : ""), options: { method: call.method.toUpperCase(), headers, body } };
}

/** The request as a shell command; the token stays out of it. */
function asCurl({ url, options }) {
  const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
  const headers = Object.entries(options.headers).map(([name, value]) =>
    name === "authorization" ? '-H "Authorization: Bearer $TOKEN"' : "-H " + quote(name + ": " + value));
  const method = options.method === "GET" ? [] : ["-X " + options.method];
  const body = options.body === undefined ? [] : ["-d " + quote(options.body)];
  return ["curl -i", ...method, quote(new URL(url, document.baseURI).href), ...headers, ...body].join(" ");
}

function readable(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

/** Makes the call and shows what came back. */
async function attempt(call, inputs, shown) {
  const request = requestOf(call, inputs);
  const started = performance.now();
  shown.replaceChildren(make("pre", {}, asCurl(request)));
  try {
    const answer = await fetch(request.url, request.options);
    const text = await answer.text();
    const took = Math.round(performance.now() - started) + " ms";
    const headers = [...answer.headers].map(([name, value]) => name + ": " + value).join("\n");
    shown.append(make("p", { class: answer.ok ? "good" : "bad" }, answer.status + " " + answer.statusText + ", " + took),
      make("pre", {}, headers), make("pre", { class: "answer" }, readable(text)));
    const next = answer.ok ? onward(call, text) : null;
    if (next) shown.append(make("p", { class: "next" }, next));
  } catch (error) {
    shown.append(make("p", { class: "bad" }, "no answer: " + error.message));
  }
}

/** The inside of a call; made when it is opened. */
function fill(api, call, inside) {
  const inputs = [];
  const shown = make("div", { "aria-live": "polite" });
  const removes = call.method === "delete";
  const send = make("button", { type: "button", class: removes ? "send delete" : "send" }, removes ? "Send DELETE" : "Send");
  send.addEventListener("click", () => attempt(call, inputs, shown));
  const sections = [
    call.operation.description ? make("p", {}, ...prose(call.operation.description)) : null,
    removes ? make("p", { class: "bad" }, "This ends or removes something, and cannot be undone.") : null,
    parametersTable(api, call.operation, inputs),
    bodyEditor(api, call.operation, inputs),
    call.operation.operationId === "place" ? needs() : null,
    make("p", {}, send), shown,
    answersTable(api, call.operation),
  ];
  inside.append(...sections.filter((section) => section !== null));
}

function show(api, call) {
  const inside = make("div", { class: "call" });
  const summary = make("summary", {}, make("span", { class: "method " + call.method }, call.method.toUpperCase()),
    make("code", {}, call.path), make("span", {}, ...prose(call.operation.summary || "")),
    make("span", { class: "who" }, callers(call.operation)));
  const details = make("details", { id: call.operation.operationId, class: "one" }, summary, inside);
  details.addEventListener("toggle", () => {
    if (details.open && !inside.hasChildNodes()) fill(api, call, inside);
  });
  return details;
}

function callsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));
}

function find(text) {
  const words = text.toLowerCase().split(/\s+/);
  for (const details of document.querySelectorAll("details.one")) {
    const shown = details.querySelector("summary").textContent.toLowerCase();
    details.hidden = !words.every((word) => shown.includes(word));
  }
  for (const group of document.querySelectorAll("details.group")) group.open = text.trim() !== "";
}

/** Where people come first, and what only services call last. */
function rank(tag) {
  const last = ["sessions", "service", "internal"].indexOf(tag);
  return last + 1;
}

/** The calls of one kind; those that services make are folded. */
function group(api, tag, calls) {
  const shown = calls.map((call) => show(api, call));
  if (tag !== "internal") return make("section", {}, make("h2", {}, tag), ...shown);
  return make("details", { class: "group" }, make("summary", {}, make("h2", {}, tag)), ...shown);
}

// The services of a stack on its usual ports; elsewhere `ordersys status` shows where they are.
const PORTS = { user: "3001", product: "3002", order: "3003" };
let own = "";
// The name of a call after #, and what was chosen for an order so far: `#place?userId=...&productId=...`.
const [named, given] = location.hash.slice(1).split("?");
const chosen = new URLSearchParams(given || "");

/** The page of another service, if it is where it usually is. */
function page(service, hash) {
  if (location.port !== PORTS[own]) return null;
  return location.protocol + "//" + location.hostname + ":" + PORTS[service] + "/docs" + hash;
}

/** The same choice with one more id. */
function choosing(name, id) {
  const all = new URLSearchParams(chosen);
  all.set(name, id);
  return all.toString();
}

/** The sample of an order with the user and the product that were chosen. */
function withGiven(operation, value) {
  if (operation.operationId !== "place") return value;
  value.userId = chosen.get("userId") || "the id of a user";
  value.items[0].productId = chosen.get("productId") || "the id of a product";
  return value;
}

/** Where a user and a product for an order come from. */
function needs() {
  const pages = [["create a guest", page("user", "#create?" + chosen)],
    ["choose a product", page("product", "#list?" + chosen)]];
  const links = pages.map(([text, href]) => (href ? make("a", { href }, text) : text));
  const where = page("user", "") ? "" : " on the pages of the other services; ordersys status shows where they are";
  return make("p", { class: "needs" }, "An order needs a user and a product: ", links[0], ", ", links[1], where, ".");
}

/** What a new user or a product is good for: an order. */
function onward(call, text) {
  const name = { user: "userId", product: "productId" }[own];
  let answer;
  try { answer = JSON.parse(text); } catch { return null; }
  const one = Array.isArray(answer) ? answer[0] : answer;
  const href = name && one && one.id && !call.path.startsWith("/internal")
    ? page("order", "#place?" + choosing(name, one.id)) : null;
  return href ? make("a", { href }, own === "user" ? "order as this user" : "order \"" + one.name + "\"") : null;
}

/** Links to the pages of the other services and of problems. */
function others() {
  const links = Object.keys(PORTS).filter((name) => name !== own)
    .map((name) => [name, page(name, "")]).filter(([, href]) => href)
    .map(([name, href]) => make("a", { href }, name + " service"));
  links.push(make("a", { href: "/problems" }, "problems"));
  byId("others").replaceChildren("See also: ", ...links.flatMap((link, place) => (place ? [", ", link] : [link])));
}

async function start() {
  const answer = await fetch("/openapi.json");
  const read = await answer.json();
  own = read.info.title.split(" ")[1];
  document.title = read.info.title;
  byId("title").textContent = read.info.title;
  byId("about").replaceChildren(...prose(read.info.description), " Version " + read.info.version + ", ",
    make("a", { href: "/openapi.json" }, "OpenAPI " + read.openapi), ".");
  others();
  const groups = [...Map.groupBy(callsOf(read), (call) => (call.operation.tags || ["other"])[0])];
  groups.sort(([one], [other]) => rank(one) - rank(other));
  byId("calls").append(...groups.map(([tag, calls]) => group(read, tag, calls)));
  byId("find").addEventListener("input", (event) => find(event.target.value));
  const called = named && byId(named);
  if (called) {
    const folded = called.closest("details.group");
    if (folded) folded.open = true;
    called.open = true;
    called.scrollIntoView();
  }
}

byId("tools").addEventListener("submit", (event) => event.preventDefault());
start().catch((error) => { byId("about").textContent = "The document cannot be read: " + error.message; });
