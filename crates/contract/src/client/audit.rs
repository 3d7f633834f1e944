//! The calls that read everything there is, for checks from outside. They need the admin's or a
//! service's credential.

use super::{Client, ClientError, Page, at, get, with_query};
use crate::evidence::{
    KEY_EVIDENCE, KeyEvidence, PRODUCT_RECORD, PRODUCT_RECORDS, ProductRecord, SESSION_RECORDS,
    SessionRecord, UNOWNED_NETWORKS, USER_RECORDS, USERS_BY_ID, UnownedNetworks, UserIds, UserRecord,
};
use crate::order::{IDEMPOTENCY_KEYS, INTERNAL_ORDER, INTERNAL_ORDERS, KeyRecord, OrderRecord};
use crate::product::{INVARIANTS, StockEvidence};
use crate::reservation::{RESERVATION, RESERVATIONS, ReservationRecord};
use crate::{MAX_PAGE, OrderId, ProductId, UserId};

impl Client {
    /// `GET /internal/invariants?lines=true`, all pages: each reads every reservation that binds stock.
    pub async fn stock_evidence(&self) -> Result<Vec<StockEvidence>, ClientError> {
        self.pages(&self.endpoints.product, with_query(INVARIANTS, &[("lines", "true")])).await
    }

    /// `GET /internal/reservations`: the page that [`Page::next`] names, or the first, newest first.
    pub async fn reservation_records(
        &self,
        next: Option<&str>,
    ) -> Result<Page<ReservationRecord>, ClientError> {
        self.page(&self.endpoints.product, next.map_or_else(|| largest(RESERVATIONS), str::to_owned)).await
    }

    /// `GET /internal/reservations/{orderId}`, with all that is stored.
    pub async fn reservation_record(&self, id: OrderId) -> Result<ReservationRecord, ClientError> {
        self.json(get(&self.endpoints.product, at(RESERVATION, &id))).await
    }

    /// `GET /internal/orders`: the page that [`Page::next`] names, or the first, newest first.
    pub async fn order_records(&self, next: Option<&str>) -> Result<Page<OrderRecord>, ClientError> {
        self.page(&self.endpoints.order, next.map_or_else(|| largest(INTERNAL_ORDERS), str::to_owned)).await
    }

    /// `GET /internal/orders/{id}`.
    pub async fn order_record(&self, id: OrderId) -> Result<OrderRecord, ClientError> {
        self.json(get(&self.endpoints.order, at(INTERNAL_ORDER, &id))).await
    }

    /// `GET /internal/idempotency-keys`: the page that [`Page::next`] names, or the first.
    pub async fn key_records(&self, next: Option<&str>) -> Result<Page<KeyRecord>, ClientError> {
        self.page(&self.endpoints.order, next.map_or_else(|| largest(IDEMPOTENCY_KEYS), str::to_owned)).await
    }

    /// `GET /internal/users`: the page that [`Page::next`] names, or the first.
    pub async fn user_records(&self, next: Option<&str>) -> Result<Page<UserRecord>, ClientError> {
        self.page(&self.endpoints.user, next.map_or_else(|| largest(USER_RECORDS), str::to_owned)).await
    }

    /// `POST /internal/users/records`: one answer for each of at most [`crate::MAX_BATCH`] ids, in order.
    pub async fn users_by_id(&self, ids: Vec<UserId>) -> Result<Vec<Option<UserRecord>>, ClientError> {
        self.json(self.post(&self.endpoints.user, USERS_BY_ID.into(), &UserIds { ids })).await
    }

    /// `GET /internal/sessions`: the page that [`Page::next`] names, or the first.
    pub async fn session_records(&self, next: Option<&str>) -> Result<Page<SessionRecord>, ClientError> {
        self.page(&self.endpoints.user, next.map_or_else(|| largest(SESSION_RECORDS), str::to_owned)).await
    }

    /// `GET /internal/networks/unowned`.
    pub async fn unowned_networks(&self) -> Result<UnownedNetworks, ClientError> {
        self.json(get(&self.endpoints.user, UNOWNED_NETWORKS.into())).await
    }

    /// `GET /internal/keys`.
    pub async fn key_evidence(&self) -> Result<KeyEvidence, ClientError> {
        self.json(get(&self.endpoints.user, KEY_EVIDENCE.into())).await
    }

    /// `GET /internal/products`: the page that [`Page::next`] names, or the first.
    pub async fn product_records(&self, next: Option<&str>) -> Result<Page<ProductRecord>, ClientError> {
        self.page(&self.endpoints.product, next.map_or_else(|| largest(PRODUCT_RECORDS), str::to_owned)).await
    }

    /// `GET /internal/products/{id}`.
    pub async fn product_record(&self, id: ProductId) -> Result<ProductRecord, ClientError> {
        self.json(get(&self.endpoints.product, at(PRODUCT_RECORD, &id))).await
    }
}

/// The first page of a list, as large as pages get.
fn largest(path: &str) -> String {
    with_query(path, &[("limit", &MAX_PAGE.to_string())])
}
