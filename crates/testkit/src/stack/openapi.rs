//! Holds every answer that a test sees to the OpenAPI document of the service that gave it: the
//! status must be one that the document names for the call, with the headers and the body it promises.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use ordersys_contract::Role;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::{Answer, LIMIT};

/// A service's document. It is the same for all stacks of one build.
pub struct Document {
    /// All of it.
    pub json: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One call as the document names it.
pub struct Operation<'a> {
    /// Its method in small letters.
    pub method: String,
    /// Its path with placeholders.
    pub path: &'a str,
    /// What the document says of it.
    pub json: &'a Value,
}

/// The document of this role, read from the service at `url` if no test has read it before.
pub async fn document(role: Role, url: &str) -> &'static Document {
    static USER: OnceCell<Document> = OnceCell::const_new();
    static PRODUCT: OnceCell<Document> = OnceCell::const_new();
    static ORDER: OnceCell<Document> = OnceCell::const_new();
    let cell = match role {
        Role::User => &USER,
        Role::Product => &PRODUCT,
        Role::Order => &ORDER,
    };
    cell.get_or_init(|| async {
        let answer = reqwest::Client::new().get(format!("{url}/openapi.json")).timeout(LIMIT).send().await;
        let bytes = answer.expect("answers").bytes().await.expect("a body");
        let json = serde_json::from_slice(&bytes).expect("JSON");
        Document { json, validators: Mutex::default() }
    })
    .await
}

/// Panics unless the document promises this answer to this call.
pub async fn check(role: Role, url: &str, method: &str, target: &str, answer: &Answer) {
    let document = document(role, url).await;
    let path = target.split('?').next().unwrap_or("");
    let seen = format!("{method} {role} {target}: {} {}", answer.status, answer.body);
    let code = answer.code();
    let operations = document.operations();
    let at_path: Vec<_> = at(path, &operations);
    match at_path.iter().find(|operation| operation.method == method.to_ascii_lowercase()) {
        Some(operation) => document.check_answer(operation, answer, &seen),
        None if at_path.is_empty() => assert_eq!((answer.status, code), (404, "unknown-route"), "{seen}"),
        None => assert_eq!((answer.status, code), (405, "method-not-allowed"), "{seen}"),
    }
    assert!(!answer.header("x-request-id").is_empty(), "{seen}");
}

impl Document {
    /// Every call of the document.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.json["paths"].as_object().into_iter().flatten();
        let calls = paths.flat_map(|(path, item)| {
            let item = item.as_object().into_iter().flatten();
            item.map(move |(method, json)| Operation { method: method.clone(), path, json })
        });
        calls.collect()
    }

    fn check_answer(&self, operation: &Operation<'_>, answer: &Answer, seen: &str) {
        let status = answer.status.to_string();
        let Some(promised) = operation.json["responses"].get(&status) else {
            panic!("the document names no such answer: {seen}");
        };
        for (name, header) in promised["headers"].as_object().into_iter().flatten() {
            let required = self.resolve(header)["required"] == true;
            assert!(!required || answer.headers.contains_key(name.as_str()), "{name} is missing: {seen}");
        }
        let content = promised["content"].as_object().and_then(|content| content.iter().next());
        let Some((media_type, content)) = content else {
            assert_eq!(answer.body, "", "the document names no body: {seen}");
            return;
        };
        let given = answer.header("content-type").split(';').next().unwrap_or("");
        assert_eq!(given, media_type, "{seen}");
        let key = format!("{} {} {status}", operation.method, operation.path);
        let validator = self.validator(key, &content["schema"]);
        let wrong: Vec<_> = validator.iter_errors(&answer.body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "the body is not what the document promises: {wrong:?}; {seen}");
    }

    fn validator(&self, key: String, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().expect("not poisoned");
        let made = validators.entry(key).or_insert_with(|| {
            let whole = json!({ "components": self.json["components"], "allOf": [schema] });
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&whole).expect("a schema"))
        });
        Arc::clone(made)
    }

    /// What a `$ref` stands for.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(target) => {
                let found = self.json.pointer(target.trim_start_matches('#'));
                found.unwrap_or_else(|| panic!("{target} is not in the document"))
            }
            None => value,
        }
    }

    /// The schemas of the document by name.
    pub fn schemas(&self) -> &Map<String, Value> {
        self.json["components"]["schemas"].as_object().expect("schemas")
    }
}

impl Operation<'_> {
    /// The path with an id that names nothing.
    pub fn any_path(&self) -> String {
        self.path.replace("{id}", "00000000-0000-7000-8000-000000000000")
    }

    /// The names of the credentials that let in.
    pub fn credentials(&self) -> Vec<&str> {
        let asked = self.json["security"].as_array().into_iter().flatten();
        asked.filter_map(Value::as_object).flat_map(Map::keys).map(String::as_str).collect()
    }
}

/// The calls of the path that a router would choose: the one with the fewest placeholders.
fn at<'a>(path: &str, operations: &'a [Operation<'a>]) -> Vec<&'a Operation<'a>> {
    let matching = operations.iter().filter(|operation| fits(operation.path, path));
    let placeholders = |operation: &&Operation<'_>| operation.path.matches('{').count();
    let matching: Vec<_> = matching.collect();
    let fewest = matching.iter().map(placeholders).min();
    matching.into_iter().filter(|operation| Some(placeholders(operation)) == fewest).collect()
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same =
        |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    wanted.len() == given.len() && wanted.iter().zip(&given).all(same)
}
