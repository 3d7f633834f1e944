//! What the project's database promises.

use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_stack::model::project::Project;
use ordersys_stack::model::started::Started;
use ordersys_store::postgres::{Promise, Reach, promise};

use super::{Check, Verdict};

/// The database that is named, or that the project was started with, if any.
pub(super) async fn of(project: &Project, named: Option<(DatabaseAddress, Option<Secret>)>) -> Option<Check> {
    let remembered = || Some((Started::load(project)?.database?, project.database_password()));
    let (address, password) = named.or_else(remembered)?;
    let shown = address.to_string();
    Some(match promise(address, password).await {
        Ok(promise) => promised(&shown, &promise),
        Err(error) => {
            let check = Check::new("database", Verdict::Warn, error.to_string());
            if let Some(hint) = error.hint() { check.advice(hint) } else { check }
        }
    })
}

fn promised(address: &str, Promise { version, reach }: &Promise) -> Check {
    let found =
        |what: &str| format!("PostgreSQL {version} at {address}; a commit is answered when it is {what}");
    match reach {
        Reach::Standby => {
            Check::new("database", Verdict::Ok, found("on one machine and its synchronous standby"))
        }
        Reach::OneDisk => Check::new("database", Verdict::Ok, found("on the disk of one machine")),
        Reach::Memory => Check::new("database", Verdict::Warn, found("in memory")).advice(
            "set fsync and synchronous_commit to on: a power cut may lose orders that were acknowledged",
        ),
    }
}
