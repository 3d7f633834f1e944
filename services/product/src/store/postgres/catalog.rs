//! Products in their table: catalog and stock.

use std::sync::Arc;

use futures_util::future::join;
use ordersys_contract::product::{Product, StockAccount};
use ordersys_contract::{ProductId, TestData, Timestamp};
use ordersys_store::postgres::{Asked, PgResult, Session, Transaction, get, signed};
use ordersys_store::{Add, MAX_STEPS, Reached, STEP_ROWS, StoreError, pg_params};

use super::rows::{self, AFTER_PRODUCT, PRODUCT, account, uuid, uuids};
use super::{Tables, editions};
use crate::store::Filter;

/// Accounts that are read at once: more than a page has room for.
const ACCOUNTS: u32 = 25_000;

impl Tables {
    pub(crate) async fn insert(&self, product: Product) -> Result<(), StoreError> {
        let products = Arc::new([product]);
        self.store
            .write(move |session| {
                let products = Arc::clone(&products);
                Box::pin(async move {
                    let transaction = session.begin();
                    insert(&transaction, &*products)?;
                    transaction.commit().await
                })
            })
            .await
    }

    pub(crate) async fn seed_once(&self, products: Vec<Product>) -> Result<(), StoreError> {
        let products = Arc::new(products);
        self.store
            .write(move |session| {
                let products = Arc::clone(&products);
                Box::pin(async move { seed_once(session, &products).await })
            })
            .await
    }

    pub(crate) async fn newest_product(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.read(|session| Box::pin(newest_product(session))).await
    }

    pub(crate) async fn get(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.store.read(move |session| Box::pin(find(session, id))).await
    }

    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        mut page: P,
        mut add: Add<P, Product>,
    ) -> Result<(P, Option<ProductId>), StoreError> {
        if filter.text.as_deref().is_some_and(|text| text.contains('\0')) {
            return Ok((page, None)); // which no name has, and no text of the database
        }
        let mut filter = Arc::new(filter);
        for _ in 0..MAX_STEPS {
            let step = step(Arc::clone(&filter));
            // Names are looked through for milliseconds, which other reads do not wait for.
            let stepped = match filter.text {
                Some(_) => self.store.scan(step).await,
                None => self.store.read(step).await,
            };
            let (products, reached) = stepped?;
            if products.into_iter().any(|product| add(&mut page, product).is_break()) {
                return Ok((page, None));
            }
            match reached {
                Reached::End | Reached::Full => return Ok((page, None)),
                Reached::Row(last) => Arc::make_mut(&mut filter).after = Some(last),
            }
        }
        Ok((page, filter.after))
    }

    pub(crate) async fn accounts<P: Send + 'static>(
        &self,
        mut after: Option<ProductId>,
        mut page: P,
        mut add: Add<P, StockAccount>,
    ) -> Result<P, StoreError> {
        loop {
            let some = self.store.scan(move |session| Box::pin(accounts(session, after))).await?;
            let is_last = some.len() < ACCOUNTS as usize;
            after = some.last().map(|account| account.product_id);
            if some.into_iter().any(|account| add(&mut page, account).is_break()) || is_last {
                return Ok(page);
            }
        }
    }
}

async fn newest_product(session: &Session) -> PgResult<Option<Timestamp>> {
    let select = "SELECT created_at FROM products.product ORDER BY id DESC LIMIT 1";
    let row = session.query_opt(select, pg_params![]).await?;
    row.map(|row| get(&row, 0).map(Timestamp::from_millis)).transpose()
}

async fn find(session: &Session, id: ProductId) -> PgResult<Option<Product>> {
    let select = format!("SELECT {PRODUCT} FROM products.product WHERE id = $1");
    session.query_opt(select, pg_params![uuid(id)]).await?.as_ref().map(rows::product).transpose()
}

/// Of several replicas that do so at once one goes first, and the others wait for it.
async fn seed_once(session: &Session, products: &[Product]) -> PgResult<()> {
    let transaction = session.begin();
    let seed = "INSERT INTO products.seeded VALUES (1) ON CONFLICT DO NOTHING RETURNING one";
    let used = "SELECT 1 FROM products.product LIMIT 1";
    let (seeded, used) =
        join(transaction.query_opt(seed, pg_params![]), transaction.query_opt(used, pg_params![])).await;
    if seeded?.is_some() && used?.is_none() {
        insert(&transaction, products)?;
    }
    transaction.commit().await
}

/// Sends new products. Those that are stored already stay as they are: ids are made once.
fn insert(transaction: &Transaction<'_>, products: &[Product]) -> PgResult<()> {
    let insert = "
        INSERT INTO products.product(id, name, price, currency, version, created_at, initial, available, test)
        SELECT id, name, price, currency, version, created_at, stock, stock, test
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            AS n(id, name, price, currency, version, created_at, stock, test)
        ON CONFLICT (id) DO NOTHING";
    // So that there is something to commit, also if they are stored already.
    let lock = "SELECT 1 FROM products.product WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    let ids = uuids(products.iter().map(|product| &product.id));
    let each = || products.iter();
    let versions = each().map(|product| signed(product.version)).collect::<PgResult<Vec<_>>>()?;
    let stocks = each().map(|product| signed(product.stock)).collect::<PgResult<Vec<_>>>()?;
    let params = pg_params![
        ids.clone(),
        each().map(|product| product.name.clone()).collect::<Vec<_>>(),
        each().map(|product| product.price.minor()).collect::<Vec<_>>(),
        each().map(|product| product.currency.as_str().to_owned()).collect::<Vec<_>>(),
        versions,
        each().map(|product| product.created_at.as_millis()).collect::<Vec<_>>(),
        stocks,
        each().map(|product| product.test).collect::<Vec<_>>(),
    ];
    transaction.execute(insert, params);
    editions::note_new(transaction, ids.clone());
    transaction.execute(lock, pg_params![ids]);
    Ok(())
}

/// The next products that a filter lets through, and how far that came.
type Step = (Vec<Product>, Reached<ProductId>);

/// Goes through a bounded number of products.
fn step(filter: Arc<Filter>) -> impl for<'a> Fn(&'a Session) -> Asked<'a, Step> + Send + Sync {
    move |session| {
        let filter = Arc::clone(&filter);
        Box::pin(async move { step_of(session, &filter).await })
    }
}

async fn step_of(session: &Session, filter: &Filter) -> PgResult<Step> {
    let (within, shown) = match filter.test {
        TestData::Exclude => ("", "NOT test"),
        TestData::Include => ("", "true"),
        TestData::Only => ("AND test", "true"),
    };
    // The last row of the step is read in any case. Letters have the same two cases as in SQLite.
    let list = format!(
        "SELECT {PRODUCT}, is_shown, row FROM (
             SELECT {PRODUCT}, row_number() OVER (ORDER BY id) AS row,
                 {shown} AND ($4 IS NULL OR strpos(lower(name COLLATE \"C\"), lower($4 COLLATE \"C\")) > 0) AS is_shown
             FROM (SELECT {PRODUCT} FROM products.product
                   WHERE ($1 IS NULL OR id > $1) {within} ORDER BY id LIMIT $2) step) numbered
         WHERE is_shown OR row = $2 ORDER BY id LIMIT $3"
    );
    let (after, limit) = (filter.after.map(uuid), i64::from(filter.limit.max(1)));
    let params = pg_params![after, i64::from(STEP_ROWS), limit, filter.text.clone()];
    let (mut products, mut reached) = (Vec::new(), Reached::End);
    let found = session.query(list, params).await?;
    for row in &found {
        if get(row, AFTER_PRODUCT)? {
            products.push(rows::product(row)?);
        }
        let is_last = get::<i64>(row, AFTER_PRODUCT + 1)? == i64::from(STEP_ROWS);
        if is_last || found.len() as u64 == u64::from(filter.limit.max(1)) {
            reached = Reached::Row(rows::id(row, 0)?);
        }
    }
    Ok((products, reached))
}

async fn accounts(session: &Session, after: Option<ProductId>) -> PgResult<Vec<StockAccount>> {
    let list =
        format!("SELECT {PRODUCT} FROM products.product WHERE ($1 IS NULL OR id > $1) ORDER BY id LIMIT $2");
    let found = session.query(list, pg_params![after.map(uuid), i64::from(ACCOUNTS)]).await?;
    found.iter().map(account).collect()
}
