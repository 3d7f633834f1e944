//! The name of a service of a stack.

use std::ffi::OsStr;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command};
use ordersys_contract::Role;
use ordersys_stack::model::spec::ServiceName;

/// Reads `order`, or `order.2` for a further replica. Help and mistakes name what every stack has.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Services;

impl TypedValueParser for Services {
    type Value = ServiceName;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<ServiceName, clap::Error> {
        let further = value.to_str().and_then(ServiceName::named).filter(|name| name.is_further());
        match further {
            Some(name) => Ok(name),
            None => EnumValueParser::<Role>::new().parse_ref(command, arg, value).map(ServiceName::from),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        EnumValueParser::<Role>::new().possible_values().map(|values| {
            let values: Vec<PossibleValue> = values.collect();
            Box::new(values.into_iter()) as Box<dyn Iterator<Item = PossibleValue>>
        })
    }
}
