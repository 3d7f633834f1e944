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
    const lines = Object.entries(node.properties).map(([name, member]) =>
      inner + name + (required.includes(name) ? "" : "?") + ": " + outline(api, member, inner, depth + 1));
    return "{\n" + lines.join("\n") + "\n" + indent + "}";
  }
  const limits = LIMITS.filter(([key]) => node[key] !== undefined).map(([key, sign]) => sign + node[key]);
  const suffix = limits.length ? " (" + limits.join(", ") + ")" : "";
  if (node.items) return "[" + outline(api, node.items, indent, depth + 1) + "]" + suffix;
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  return [].concat(node.type || "anything").join(" | ") + (node.format ? " " + node.format : "") + suffix;
}

/** A value that a schema allows: its example, or one made of its members'. */
function sample(api, schema, depth = 0) {
  const node = resolve(api, schema);
  if (node.examples) return node.examples[0];
  if (node.example !== undefined) return node.example;
  if (node.default !== undefined) return node.default;
  if (node.enum) return node.enum[0];
  const part = (node.oneOf || node.anyOf || []).find((one) => one.type !== "null");
  if (part && depth < 6) return sample(api, part, depth + 1);
  if (node.properties) {
    const named = Object.keys(node.properties).filter((name) => (node.required || []).includes(name));
    return Object.fromEntries(named.map((name) => [name, sample(api, node.properties[name], depth + 1)]));
  }
  if (node.items) return [sample(api, node.items, depth + 1)];
  if (node.type === "integer" || node.type === "number") return node.minimum || 0;
  return node.type === "boolean" ? false : "text";
}

/** Who may make a call, in words. */
function callers(operation) {
  const wanted = (operation.security || []).map((one) => Object.keys(one)[0] || "anyone");
  return wanted.length ? wanted.join(" or ") : "anyone";
}

function parametersTable(api, operation, inputs) {
  const rows = (operation.parameters || []).map((parameter) => {
    const input = make("input", { "aria-label": parameter.name, spellcheck: "false" });
    inputs.push({ parameter, input });
    const name = parameter.name + (parameter.required ? " *" : "");
    return make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, parameter.in),
      make("td", {}, input), make("td", {}, outline(api, parameter.schema)),
      make("td", { class: "note" }, parameter.description || ""));
  });
  if (!rows.length) return null;
  return make("section", {}, make("h3", {}, "Parameters"),
    make("div", { class: "scroll" }, make("table", {}, ...rows)));
}

function bodyEditor(api, operation, inputs) {
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  if (!content) return null;
  const editor = make("textarea", { rows: 8, "aria-label": "request body", spellcheck: "false" });
  const needed = operation.requestBody.required;
  editor.value = needed ? JSON.stringify(sample(api, content.schema), null, 2) : "";
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
    return make("tr", {}, make("td", { class: status < "400" ? "good" : "bad" }, status),
      make("td", {}, answer.description || "", make("div", { class: "note" }, headers), shape));
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
  } catch (error) {
    shown.append(make("p", { class: "bad" }, "no answer: " + error.message));
  }
}

/** The inside of a call; made when it is opened. */
function fill(api, call, inside) {
  const inputs = [];
  const shown = make("div", { "aria-live": "polite" });
  const send = make("button", { type: "button", class: "send" }, "Send");
  send.addEventListener("click", () => attempt(call, inputs, shown));
  const sections = [
    call.operation.description ? make("p", {}, call.operation.description) : null,
    parametersTable(api, call.operation, inputs),
    bodyEditor(api, call.operation, inputs),
    make("p", {}, send), shown,
    answersTable(api, call.operation),
  ];
  inside.append(...sections.filter((section) => section !== null));
}

function show(api, call) {
  const inside = make("div", { class: "call" });
  const summary = make("summary", {}, make("span", { class: "method" }, call.method.toUpperCase()),
    make("code", {}, call.path), make("span", {}, call.operation.summary || ""),
    make("span", { class: "who" }, callers(call.operation)));
  const details = make("details", { id: call.operation.operationId }, summary, inside);
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
  for (const details of document.querySelectorAll("details")) {
    const shown = details.querySelector("summary").textContent.toLowerCase();
    details.hidden = !words.every((word) => shown.includes(word));
  }
}

async function start() {
  const answer = await fetch("/openapi.json");
  const read = await answer.json();
  document.title = read.info.title;
  byId("title").textContent = read.info.title;
  byId("about").replaceChildren(read.info.description + " Version " + read.info.version + ", ",
    make("a", { href: "/openapi.json" }, "OpenAPI " + read.openapi), ".");
  const groups = Map.groupBy(callsOf(read), (call) => (call.operation.tags || ["other"])[0]);
  for (const [tag, calls] of groups) {
    byId("calls").append(make("section", {}, make("h2", {}, tag), ...calls.map((call) => show(read, call))));
  }
  byId("find").addEventListener("input", (event) => find(event.target.value));
  const named = location.hash && byId(location.hash.slice(1));
  if (named) named.open = true;
}

byId("tools").addEventListener("submit", (event) => event.preventDefault());
start().catch((error) => { byId("about").textContent = "The document cannot be read: " + error.message; });
