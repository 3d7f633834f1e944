//! The calls of the product service.

use http::{Method, header};

use super::{Again, Call, Client, ClientError, Page, at, get, given, posted, shown, with_query};
use crate::product::{
    Hold, INVARIANTS, NewProduct, PRODUCT, PRODUCT_CLEANUP, PRODUCTS, Product, ProductPatch, RELEASE,
    RESERVE, RESTOCK, Released, Reserved, Restock, StockAccount,
};
use crate::reservation::{Answer, Batch, Operation, RESERVATION, RESERVATIONS, Reservation};
use crate::test_data::{Cleaned, Cleanup};
use crate::{OrderId, ProductId, TestData, WriteJson};

/// What narrows `GET /products`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProductFilter<'a> {
    /// Products with this text in their name only.
    pub text: Option<&'a str>,
    /// Whether test data is shown.
    pub test: TestData,
    /// Items on a page.
    pub limit: Option<u32>,
}

impl Client {
    /// `GET /products`: the first page.
    pub async fn products(&self, filter: &ProductFilter<'_>) -> Result<Page<Product>, ClientError> {
        let limit = filter.limit.map(|limit| limit.to_string());
        let pairs = given([("q", filter.text), ("test", shown(filter.test)), ("limit", limit.as_deref())]);
        self.page(&self.endpoints.product, with_query(PRODUCTS, &pairs)).await
    }

    /// The page of products that [`Page::next`] names.
    pub async fn more_products(&self, next: &str) -> Result<Page<Product>, ClientError> {
        self.page(&self.endpoints.product, next.to_owned()).await
    }

    /// `POST /internal/products/cleanup`: one step.
    pub async fn clean_up_products(
        &self,
        step: &Cleanup<ProductId>,
    ) -> Result<Cleaned<ProductId>, ClientError> {
        self.json(self.post(&self.endpoints.product, PRODUCT_CLEANUP.into(), step)).await
    }

    /// `GET /products/{id}`.
    pub async fn product(&self, id: ProductId) -> Result<Product, ClientError> {
        self.json(get(&self.endpoints.product, at(PRODUCT, &id))).await
    }

    /// `POST /products`.
    pub async fn create_product(&self, new: &NewProduct) -> Result<Product, ClientError> {
        self.json(self.post(&self.endpoints.product, PRODUCTS.into(), new)).await
    }

    /// `PATCH /products/{id}`, only if its version is still `if_version`.
    pub async fn edit_product(
        &self,
        id: ProductId,
        patch: &ProductPatch,
        if_version: Option<u64>,
    ) -> Result<Product, ClientError> {
        let mut call = self.post(&self.endpoints.product, at(PRODUCT, &id), patch);
        call.method = Method::PATCH;
        if let Some(tag) = if_version.and_then(|version| format!("\"{version}\"").parse().ok()) {
            call.headers.insert(header::IF_MATCH, tag);
        }
        self.json(call).await
    }

    /// `POST /products/{id}/restock`.
    pub async fn restock(&self, id: ProductId, quantity: u64) -> Result<Product, ClientError> {
        let call = self.post(&self.endpoints.product, at(RESTOCK, &id), &Restock { quantity });
        self.json(call).await
    }

    /// `POST /products/{id}/reserve`.
    pub async fn reserve(&self, id: ProductId, hold: &Hold) -> Result<Reserved, ClientError> {
        self.json(self.post(&self.endpoints.product, at(RESERVE, &id), hold)).await
    }

    /// `POST /products/{id}/release`.
    pub async fn release(&self, id: ProductId, hold: &Hold) -> Result<Released, ClientError> {
        self.json(self.post(&self.endpoints.product, at(RELEASE, &id), hold)).await
    }

    /// `POST /internal/reservations`: one answer per operation, in order.
    pub async fn reservations(&self, operations: Vec<Operation>) -> Result<Vec<Answer>, ClientError> {
        let body = Batch { operations }.to_json().into_bytes();
        let call = posted(&self.endpoints.product, RESERVATIONS.into(), body);
        self.json(Call { again: Again::Harmless, ..call }).await // an operation that was done is not done again
    }

    /// `GET /internal/reservations/{orderId}`.
    pub async fn reservation(&self, id: OrderId) -> Result<Reservation, ClientError> {
        self.json(get(&self.endpoints.product, at(RESERVATION, &id))).await
    }

    /// `GET /internal/invariants`: all pages.
    pub async fn stock_accounts(&self) -> Result<Vec<StockAccount>, ClientError> {
        self.pages(&self.endpoints.product, INVARIANTS.into()).await
    }
}
