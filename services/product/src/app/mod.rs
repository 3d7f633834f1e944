//! What the product service does.

use std::time::Instant;

use ordersys_chassis::ClockSkew;
use ordersys_chassis::http::conditional::Condition;
use ordersys_contract::evidence::ProductRecord;
use ordersys_contract::product::{
    Hold, MAX_NAME_BYTES, MAX_PRICE_MINOR, MAX_STOCK, NewProduct, Product, ProductPatch, Released, Reserved,
    StockAccount, StockEvidence,
};
use ordersys_contract::reservation::{Answer, ReservationRecord, ReservationState};
use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::{Currency, Money, OrderId, ProductId, Timestamp};
use ordersys_spans::Tracer;
use ordersys_store::answers::CommandId;
use ordersys_store::{Add, StoreError};

use crate::store::{
    Addition, Edit, Edited, Filter, HoldOutcome, Part, ReservationFilter, Restocked, StockTotals,
};
use crate::{NAME, ProductError, Tables};

mod apply;

/// The products a new store starts with: name, price in minor units, units.
const FIRST_PRODUCTS: [(&str, i64, u64); 3] =
    [("Mechanical Keyboard", 14_999, 50), ("USB-C Hub", 4_999, 200), ("27\" Monitor", 39_999, 30)];

/// The use cases; clones share one store.
#[derive(Clone)]
pub struct App {
    tables: Tables,
    newest: ClockSkew,
    tracer: Tracer,
}

impl App {
    /// The use cases on a store, in which leases that are open begin anew.
    pub(crate) async fn open(
        tables: Tables,
        newest: ClockSkew,
        tracer: Tracer,
    ) -> Result<Self, ProductError> {
        let now = Timestamp::now();
        let first = FIRST_PRODUCTS.map(|(name, price, stock)| Product {
            id: ProductId::now(),
            name: name.to_owned(),
            price: Money::from_minor(price).unwrap_or_default(),
            currency: Currency::USD,
            stock,
            version: 1,
            created_at: now,
            test: false,
        });
        tables.seed_once(first.into()).await?;
        tables.recover_leases().await?;
        if let Some(made) = tables.newest_product().await? {
            newest.saw(made);
        }
        newest.warn_if_ahead();
        Ok(Self { tables, newest, tracer })
    }

    pub(crate) async fn close(&self) {
        self.tables.close().await;
    }

    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        add: Add<P, Product>,
    ) -> Result<(P, Option<ProductId>), ProductError> {
        Ok(self.tables.list(filter, page, add).await?)
    }

    pub(crate) async fn get(&self, id: ProductId) -> Result<Product, ProductError> {
        self.tables.get(id).await?.ok_or(ProductError::NotFound)
    }

    pub(crate) async fn create(&self, new: NewProduct, now: Timestamp) -> Result<Product, ProductError> {
        let NewProduct { name, price, stock, currency, test } = new;
        if !currency.is_money() {
            return Err(ProductError::Currency(currency));
        }
        let (name, price) = (checked_name(&name)?, checked_price(price, currency)?);
        checked_units("stock", stock, 0)?;
        let (id, version) = (ProductId::now(), 1);
        let product = Product { id, name, price, currency, stock, version, created_at: now, test };
        self.tables.insert(product.clone()).await?;
        self.newest.saw(now);
        Ok(product)
    }

    pub(crate) async fn edit(
        &self,
        id: ProductId,
        patch: ProductPatch,
        condition: Condition,
        now: Timestamp,
    ) -> Result<Product, ProductError> {
        let name = patch.name.as_deref().map(checked_name).transpose()?;
        if name.is_none() && patch.price.is_none() {
            return Err(ProductError::NothingToChange);
        }
        let edit = Edit { command: CommandId::now(), name, price: patch.price, condition, now };
        match self.tables.edit(id, edit).await? {
            Edited::Done(product) => Ok(product),
            Edited::Changed { current } => Err(ProductError::Changed { current }),
            Edited::Price(error) => Err(error),
            Edited::NotFound => Err(ProductError::NotFound),
        }
    }

    pub(crate) async fn restock(&self, id: ProductId, units: u64) -> Result<Product, ProductError> {
        checked_units("quantity", units, 1)?;
        let addition = Addition { command: CommandId::now(), units };
        match self.tables.restock(id, addition).await? {
            Restocked::Done(product) => Ok(product),
            Restocked::TooMany => Err(ProductError::Units { field: "quantity", least: 1 }),
            Restocked::NotFound => Err(ProductError::NotFound),
        }
    }

    /// Removes some of the test data that no order needs.
    pub(crate) async fn clean_up(
        &self,
        step: Cleanup<ProductId>,
    ) -> Result<Cleaned<ProductId>, ProductError> {
        let cleaned = self.tables.clean_up(CommandId::now(), step).await?;
        tracing::info!(service = NAME, removed = cleaned.removed, "test data was removed");
        Ok(cleaned)
    }

    pub(crate) async fn hold(&self, product: ProductId, hold: &Hold) -> Result<Reserved, ProductError> {
        let id = hold.reservation_id.unwrap_or_else(OrderId::now);
        match self.tables.hold(id, product, hold.quantity).await? {
            HoldOutcome::Done { available } => Ok(Reserved {
                reserved: hold.quantity.get().into(),
                remaining_stock: available,
                reservation_id: id,
            }),
            HoldOutcome::Answer(Answer::Stands(reservation)) => Err(match reservation.state {
                ReservationState::Rejected => ProductError::Insufficient {
                    available: reservation.shortages.first().map_or(0, |shortage| shortage.available),
                },
                _ => ProductError::NothingHeld,
            }),
            HoldOutcome::Answer(_) => Err(ProductError::Mismatch),
            HoldOutcome::NothingHeld => Err(ProductError::NothingHeld),
            HoldOutcome::NotFound => Err(ProductError::NotFound),
        }
    }

    pub(crate) async fn give_back(&self, product: ProductId, hold: &Hold) -> Result<Released, ProductError> {
        let part = Part { command: CommandId::now(), quantity: hold.quantity, of: hold.reservation_id };
        match self.tables.give_back(product, part).await? {
            HoldOutcome::Done { available } => {
                Ok(Released { released: hold.quantity.get().into(), current_stock: available })
            }
            HoldOutcome::NotFound => Err(ProductError::NotFound),
            HoldOutcome::NothingHeld | HoldOutcome::Answer(_) => Err(ProductError::NothingHeld),
        }
    }

    pub(crate) async fn reservation(&self, id: OrderId) -> Result<Option<ReservationRecord>, ProductError> {
        Ok(self.tables.reservation(id).await?)
    }

    pub(crate) async fn reservations<P: Send + 'static>(
        &self,
        filter: ReservationFilter,
        page: P,
        add: Add<P, ReservationRecord>,
    ) -> Result<P, ProductError> {
        Ok(self.tables.reservations(filter, page, add).await?)
    }

    pub(crate) async fn accounts<P: Send + 'static>(
        &self,
        after: Option<ProductId>,
        page: P,
        add: Add<P, StockAccount>,
    ) -> Result<P, ProductError> {
        Ok(self.tables.accounts(after, page, add).await?)
    }

    pub(crate) async fn stock_totals(&self) -> Result<StockTotals, ProductError> {
        Ok(self.tables.stock_totals().await?)
    }

    pub(crate) async fn evidence<P: Send + 'static>(
        &self,
        after: Option<ProductId>,
        page: P,
        add: Add<P, StockEvidence>,
    ) -> Result<P, ProductError> {
        Ok(self.tables.evidence(after, page, add).await?)
    }

    pub(crate) async fn product_records(
        &self,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ProductError> {
        Ok(self.tables.product_records(after, limit).await?)
    }

    pub(crate) async fn product_record(&self, id: ProductId) -> Result<ProductRecord, ProductError> {
        self.tables.product_record(id).await?.ok_or(ProductError::NotFound)
    }

    /// Lets some of what was refused long ago go, and answers that were kept for minutes; returns how many.
    pub(crate) async fn forget(&self) -> Result<usize, StoreError> {
        Ok(self.tables.forget_refused().await? + self.tables.forget_answers().await?)
    }

    pub(crate) async fn end_leases(&self, now: Instant) -> Result<usize, ProductError> {
        Ok(self.tables.end_leases(now).await?)
    }
}

fn checked_name(name: &str) -> Result<String, ProductError> {
    let name = name.trim();
    let usable = (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
    if usable { Ok(name.to_owned()) } else { Err(ProductError::Name) }
}

/// The price in minor units of its currency.
pub(crate) fn checked_price(price: Money, currency: Currency) -> Result<Money, ProductError> {
    let price = price.in_currency(currency).map_err(ProductError::NoPrice)?;
    if price.minor() <= MAX_PRICE_MINOR { Ok(price) } else { Err(ProductError::Price(currency)) }
}

fn checked_units(field: &'static str, units: u64, least: u64) -> Result<(), ProductError> {
    let fits = (least..=MAX_STOCK).contains(&units);
    if fits { Ok(()) } else { Err(ProductError::Units { field, least }) }
}
