//! Changes to products that are there: edits and restocks. Each is done once, however often it is run.

use ordersys_contract::ProductId;
use ordersys_store::StoreError;
use ordersys_store::answers::Answers;
use rusqlite::{Connection, params};

use super::catalog::{item, select};
use super::{Tables, editions};
use crate::store::{Addition, Edit, Edited, Restocked};

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
    let Some(product) = select(connection, id)? else { return Ok(Edited::NotFound) };
    let edited = edit.of(product);
    if let Edited::Done(product) = &edited {
        let update = "UPDATE product SET name = ?2, price = ?3, version = ?4 WHERE id = ?1";
        let row = params![id.as_bytes(), product.name, product.price.minor(), product.version];
        connection.prepare_cached(update)?.execute(row)?;
        editions::note(connection, id, edit.now)?;
        editions::forget(connection, id, product.version)?;
    }
    Ok(edited)
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
