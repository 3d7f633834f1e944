//! Reading objects as objects: serde also takes an array of the members' values, we do not.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A `T` that was written as a JSON object.
#[derive(Debug, Clone)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Reads an array of objects; for `#[serde(deserialize_with)]`.
pub fn objects<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        units: u32,
    }

    #[derive(Debug, Deserialize)]
    struct Body {
        #[serde(deserialize_with = "objects")]
        items: Vec<Item>,
    }

    #[test]
    fn an_array_of_values_is_no_object() {
        let read = |text| serde_json::from_str::<Body>(text);
        let body = read(r#"{"items":[{"units":1},{"units":2}]}"#).expect("objects");
        assert_eq!(body.items, [Item { units: 1 }, Item { units: 2 }]);
        let error = read(r#"{"items":[[1]]}"#).expect_err("no object").to_string();
        assert!(error.contains("expected an object"), "{error}");
    }
}
