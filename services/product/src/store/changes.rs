//! Changes to products that are there: edits and restocks. Each is done once, however often it is run.

use ordersys_chassis::http::conditional::Condition;
use ordersys_contract::product::Product;
use ordersys_contract::{Money, ProductId, Timestamp};
use ordersys_store::StoreError;
use ordersys_store::answers::{Answers, CommandId};
use rusqlite::{Connection, params};

use super::catalog::{item, select};
use super::{Tables, editions};
use crate::ProductError;
use crate::app::checked_price;

/// A change to a product's catalog entry.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) command: CommandId,
    pub(crate) name: Option<String>,
    pub(crate) price: Option<Money>,
    /// What the client asks of the product's tag.
    pub(crate) condition: Condition,
    /// When it is made.
    pub(crate) now: Timestamp,
}

/// How an edit ended.
#[derive(Debug)]
pub(crate) enum Edited {
    Done(Product),
    /// The price does not suit the product's currency.
    Price(ProductError),
    Changed {
        current: u64,
    },
    NotFound,
}

/// Units that are added to a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addition {
    pub(crate) command: CommandId,
    pub(crate) units: u64,
}

/// How a restock ended.
#[derive(Debug)]
pub(crate) enum Restocked {
    Done(Product),
    /// There would be more units than can be counted.
    TooMany,
    NotFound,
}

impl Tables {
    pub(crate) async fn edit(&self, id: ProductId, edit: Edit) -> Result<Edited, StoreError> {
        let answers = self.3.clone();
        self.0
            .write(move |connection| {
                if let Some(done) = Answers::find(connection, edit.command)? {
                    return Ok(Edited::Done(done));
                }
                let edited = change(connection, id, &edit)?;
                if let Edited::Done(product) = &edited {
                    answers.keep(connection, edit.command, product)?;
                }
                Ok(edited)
            })
            .await
    }

    /// Adds units.
    pub(crate) async fn restock(&self, id: ProductId, addition: Addition) -> Result<Restocked, StoreError> {
        let answers = self.3.clone();
        self.0
            .write(move |connection| {
                if let Some(done) = Answers::find(connection, addition.command)? {
                    return Ok(Restocked::Done(done));
                }
                let restocked = add(connection, id, addition.units)?;
                if let Restocked::Done(product) = &restocked {
                    answers.keep(connection, addition.command, product)?;
                }
                Ok(restocked)
            })
            .await
    }
}

fn change(connection: &Connection, id: ProductId, edit: &Edit) -> rusqlite::Result<Edited> {
    let Some(mut product) = select(connection, id)? else { return Ok(Edited::NotFound) };
    let version = product.version.to_string();
    if !edit.condition.permits(|tag| tag.split('.').next() == Some(&version)) {
        return Ok(Edited::Changed { current: product.version });
    }
    let price = edit.price.map(|price| checked_price(price, product.currency)).transpose();
    let price = match price {
        Ok(price) => price,
        Err(error) => return Ok(Edited::Price(error)),
    };
    product.version += 1;
    product.name = edit.name.clone().unwrap_or(product.name);
    product.price = price.unwrap_or(product.price);
    let update = "UPDATE product SET name = ?2, price = ?3, version = ?4 WHERE id = ?1";
    let row = params![id.as_bytes(), product.name, product.price.minor(), product.version];
    connection.prepare_cached(update)?.execute(row)?;
    editions::note(connection, id, edit.now)?;
    editions::forget(connection, id, product.version)?;
    Ok(Edited::Done(product))
}

fn add(connection: &Connection, id: ProductId, units: u64) -> rusqlite::Result<Restocked> {
    let Some(item) = item(connection, id)? else { return Ok(Restocked::NotFound) };
    let Some(stock) = item.stock.restocked_by(units) else { return Ok(Restocked::TooMany) };
    let update = "UPDATE product SET restocked = ?2, available = ?3 WHERE id = ?1";
    let row = params![id.as_bytes(), stock.restocked, stock.available];
    connection.prepare_cached(update)?.execute(row)?;
    editions::note_added(connection, id, units)?;
    Ok(select(connection, id)?.map_or(Restocked::NotFound, Restocked::Done))
}
