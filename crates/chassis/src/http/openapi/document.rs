//! The OpenAPI document of a service: what its routes say of themselves, completed with what is
//! true of every route. So a handler states only what is its own.
//!
//! A handler names the codes of its rejections under [`REFUSALS`]; they become answers by status here.

use std::collections::BTreeMap;

use ordersys_contract::header::TIMEOUT_MS;
use ordersys_contract::{Code, DEFAULT_PAGE, MAX_PAGE, Problem};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::member_order;
use crate::http::page::MAX_PAGE_BYTES;

/// The member of an operation in which a handler lists the codes that are its own.
pub(crate) const REFUSALS: &str = "x-refusals";
/// The tag of the routes that every service has; they touch no store.
pub(crate) const COMMON: &str = "service";

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole document of the service with this name.
pub(crate) fn complete(service: &str, routes: &OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    bound_numbers(&mut document);
    member_order::note(routes, &mut document);
    document["openapi"] = "3.1.0".into();
    document["info"] = info(service);
    document["servers"] = json!([{ "url": "/", "description": "where this document was read" }]);
    let components = &mut document["components"];
    components["schemas"]["Problem"] = problem_schema();
    components["headers"] = headers();
    components["securitySchemes"] = security_schemes();
    for schema in components["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let variants = schema.get_mut("oneOf").and_then(Value::as_array_mut);
        variants.into_iter().flatten().for_each(close);
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for method in METHODS {
                if let Some(operation) = item.get_mut(method) {
                    complete_operation(path, method, operation);
                }
            }
        }
    }
    document
}

fn info(service: &str) -> Value {
    json!({
        "title": format!("ordersys {service} service"),
        "description": format!("The {service} service of the order system: its public routes, and those for the admin and the other services."),
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "MIT", "identifier": "MIT" },
    })
}

fn security_schemes() -> Value {
    let bearer =
        |description: &str| json!({ "type": "http", "scheme": "bearer", "description": description });
    let mut user = bearer("The access token of a registered user, from `POST /sessions`.");
    user["bearerFormat"] = "JWT".into();
    json!({
        "user": user,
        "admin": bearer("The admin's credential of the project."),
        "service": bearer("The credential that the services show each other. Without it the route does not exist."),
    })
}

fn headers() -> Value {
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    json!({
        "RequestId": {
            "description": "Names the request; the one that was sent, if it had the form.",
            "required": true,
            "schema": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$" },
        },
        "RetryAfter": {
            "description": "Seconds after which trying again makes sense.",
            "schema": { "type": "integer", "minimum": 0 },
        },
        "Location": text("The path of what was made."),
        "Link": text("The next page, if there is one: `<...>; rel=\"next\"`."),
        "WwwAuthenticate": text("The scheme to authenticate with: `Bearer`."),
    })
}

/// RFC 9457, and the article's `error` beside it.
fn problem_schema() -> Value {
    let example = Problem::new(Code::NotFound, "Product not found").body("find-me.1");
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457). Some codes have members of their own.",
        "required": ["type", "title", "status", "detail", "code", "requestId", "error"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string" },
            "code": { "type": "string", "enum": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>() },
            "requestId": { "type": "string" },
            "error": { "type": "string", "description": "The same as `detail`." },
            "field": { "type": "string", "description": "The member that is wrong." },
            "available": { "type": "integer", "description": "Units there are." },
            "shortages": { "type": "array", "items": { "type": "object" }, "description": "What is short." },
            "products": { "type": "array", "items": { "type": "string" }, "description": "What is not known." },
            "state": { "type": "string", "description": "Where the thing stands." },
        },
        "examples": [example],
    })
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let own = operation.as_object_mut().and_then(|members| members.remove(REFUSALS));
    let own: Vec<Code> = own.and_then(|codes| serde_json::from_value(codes).ok()).unwrap_or_default();
    add_parameters(path, operation);
    if operation.get("requestBody").is_some() {
        drop_null(&mut operation["requestBody"]["content"]["application/json"]["schema"]);
    }
    let (pages, common) = (has_parameter(operation, |one| one["name"] == "cursor"), is_common(operation));
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in own.into_iter().chain(implied(method, path, operation)) {
        let codes = by_status.entry(code.status().as_u16()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    for (status, codes) in by_status {
        operation["responses"][status.to_string()] = refusal(&codes);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses {
        let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
        response["headers"]["x-request-id"] = header("RequestId");
        if pages && status == "200" {
            response["headers"]["Link"] = header("Link");
        }
        if status == "201" || status == "202" {
            response["headers"]["Location"] = header("Location");
        }
        if matches!(status.as_str(), "202" | "429") || (status == "503" && !(common && is_small(path))) {
            response["headers"]["Retry-After"] = header("RetryAfter");
        }
        if status == "401" {
            response["headers"]["WWW-Authenticate"] = header("WwwAuthenticate");
        }
    }
}

/// The objects of an enum's variants have no other members; what is derived for structs says so already.
fn close(schema: &mut Value) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.values_mut().for_each(close);
        schema["additionalProperties"] = false.into();
    }
}

/// Says the largest value of numbers that have no limit of their own: ours are unsigned, and the names of
/// formats are of signed ones.
fn bound_numbers(part: &mut Value) {
    match part {
        Value::Object(members) => {
            let largest = match members.get("format").and_then(Value::as_str) {
                Some("int32") => Some(u64::from(u32::MAX)),
                Some("int64") => Some(u64::MAX),
                _ => None,
            };
            if let Some(largest) = largest {
                members.remove("format");
                members.entry("maximum").or_insert_with(|| largest.into());
            }
            members.values_mut().for_each(bound_numbers);
        }
        Value::Array(items) => items.iter_mut().for_each(bound_numbers),
        _ => {}
    }
}

/// What may be left out has no `null`: absent and `null` are the same only inside a body.
fn drop_null(schema: &mut Value) {
    let is_null = |part: &Value| part == "null" || part["type"] == "null";
    for list in ["type", "oneOf"] {
        let Some(parts) = schema.get_mut(list).and_then(Value::as_array_mut) else { continue };
        parts.retain(|part| !is_null(part));
        let [only] = parts.as_slice() else { continue };
        let only = only.clone();
        if list == "type" {
            schema[list] = only;
        } else {
            *schema = only;
        }
    }
}

/// Adds the request's id and the ids in the path, and says what every page has in common.
fn add_parameters(path: &str, operation: &mut Value) {
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for parameter in &mut parameters {
        drop_null(&mut parameter["schema"]);
        match parameter["name"].as_str() {
            Some("limit") => {
                parameter["schema"] =
                    json!({ "type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE });
                parameter["description"] = format!(
                    "Most items of the page. It ends earlier where they are larger than {MAX_PAGE_BYTES} bytes together."
                )
                .into();
            }
            Some("cursor") => {
                if parameter["schema"]["pattern"].is_null() {
                    parameter["schema"]["pattern"] = "^[0-9a-fA-F]{32}$".into();
                }
                parameter["description"] =
                    "Where the page starts: take it from the `Link` of the page before.".into();
            }
            _ => {}
        }
    }
    if path.contains("{id}") {
        parameters.insert(0, json!({
            "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" },
        }));
    }
    parameters.push(json!({
        "name": "x-request-id", "in": "header", "schema": { "type": "string" },
        "description": "Names the request in answers, calls and logs. Made anew unless it is 1 to 128 of `A-Z a-z 0-9 . _ -`.",
    }));
    operation["parameters"] = parameters.into();
}

fn has_parameter(operation: &Value, is_it: impl Fn(&Value) -> bool) -> bool {
    operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(is_it))
}

/// Whether the operation is one that every service has.
fn is_common(operation: &Value) -> bool {
    operation["tags"][0] == COMMON
}

/// Whether the answers of a common route are so small that there is always room for them.
fn is_small(path: &str) -> bool {
    !matches!(path, "/metrics" | "/openapi.json" | "/docs") && !path.starts_with("/problems")
}

/// The rejections that follow from the form of an operation.
fn implied(method: &str, path: &str, operation: &Value) -> Vec<Code> {
    let mut codes = vec![Code::Internal, Code::InvalidHeader, Code::MisdirectedRequest];
    codes.extend((method != "get").then_some(Code::CrossSiteRequest));
    if operation.get("requestBody").is_some() {
        codes.extend([Code::MalformedJson, Code::InvalidField, Code::MissingField, Code::UnknownField]);
        codes.extend([Code::RequestTimeout, Code::BodyTooLarge, Code::UnsupportedMediaType]);
    }
    let has = |place: &str| has_parameter(operation, |parameter| parameter["in"] == place);
    codes.extend(has("query").then_some(Code::InvalidQuery));
    codes.extend(has("path").then_some(Code::NotFound));
    let waits = has_parameter(operation, |parameter| parameter["name"] == TIMEOUT_MS.as_str());
    codes.extend(waits.then_some(Code::DeadlinePassed));
    if is_common(operation) {
        codes.extend((!is_small(path)).then_some(Code::Overloaded));
    } else {
        codes.extend([Code::Overloaded, Code::Unavailable, Code::StorageBusy, Code::StorageDamaged]);
        if method != "get" {
            codes.extend([Code::StorageFull, Code::StorageUnwritable]);
        }
    }
    let lets_in = |name: &str| {
        let mut asked = operation["security"].as_array().into_iter().flatten();
        asked.any(|credential| credential.get(name).is_some())
    };
    if lets_in("service") {
        codes.push(Code::UnknownRoute);
    } else if lets_in("admin") || lets_in("user") {
        codes.extend([Code::Unauthenticated, Code::Forbidden]);
    }
    codes
}

/// The answer that rejects with one of these codes, all of one status.
fn refusal(codes: &[Code]) -> Value {
    let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let titles: Vec<_> = codes.iter().map(|code| code.title()).collect();
    let example = codes.first().map(|code| Problem::new(*code, code.title()).body("find-me.1"));
    json!({
        "description": format!("{}.", titles.join(", or ")),
        "content": { "application/problem+json": {
            "schema": {
                "allOf": [{ "$ref": "#/components/schemas/Problem" }],
                "properties": { "code": { "enum": names } },
            },
            "example": example,
        } },
    })
}
