//! The order of the members of objects, which people read them in and the objects of a document do not have.

use serde_json::Value;
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Notes under `x-order` in which order the contract has the members of each object, for people who read them.
pub(super) fn note(routes: &OpenApi, document: &mut Value) {
    let schemas = routes.components.iter().flat_map(|components| &components.schemas);
    for (name, schema) in schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && object.properties.len() > 1
        {
            let names: Vec<_> = object.properties.keys().cloned().collect();
            document["components"]["schemas"][name.as_str()]["x-order"] = names.into();
        }
    }
}
