//! A fixed amount of work on one of the hot paths, the same in every run: how many instructions it
//! takes can be compared while others use the machine.

use std::path::Path;

use ordersys_store::Durability;
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::requests::{Ids, LINES};
use crate::system::{Neighbours, System};

/// Clients that order at the same time.
const CONNECTIONS: usize = 8;
/// Orders in one call between services.
const BATCH: usize = 16;

/// What is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Route {
    /// `POST /orders` of the order service alone: its neighbours answer at once
    Order,
    /// `POST /internal/reservations` of the product service, 16 orders a call
    Product,
    /// `POST /internal/users/lookup` of the user service, 16 orders a call
    User,
    /// `POST /orders` through all three services
    System,
    /// the same with orders of 3 lines
    Lines,
}

impl Route {
    fn neighbours(self) -> Neighbours {
        match self {
            Self::System | Self::Lines => Neighbours::Services,
            Self::Order | Self::Product | Self::User => Neighbours::Doubles,
        }
    }
}

/// Does the work that `orders` orders make, with data below `dir`.
pub async fn run(route: Route, orders: usize, dir: &Path) -> anyhow::Result<()> {
    // Unsynced: how long a sync takes must not decide how much is done in one.
    let system = System::start(dir, Durability::Memory, route.neighbours()).await?;
    let ids = system.seed().await?;
    let service = system.service_credential()?;
    match route {
        Route::Order | Route::System => place(system.address(|all| &all.order), ids, 1, orders).await?,
        Route::Lines => place(system.address(|all| &all.order), ids, LINES, orders).await?,
        Route::Product => {
            let render = |first, count| ids.reservations(first, count, &service);
            call(system.address(|all| &all.product), orders, render).await?;
        }
        Route::User => {
            let render = |first, count| ids.lookup(first, count, &service);
            call(system.address(|all| &all.user), orders, render).await?;
        }
    }
    system.stop().await
}

async fn place(address: &str, ids: Ids, lines: usize, orders: usize) -> anyhow::Result<()> {
    let mut clients = JoinSet::new();
    for client in 0..CONNECTIONS {
        let mut connection = Connection::open(address).await?;
        clients.spawn(async move {
            for number in (client..orders).step_by(CONNECTIONS) {
                connection.exchange(&ids.order(number, lines), 201).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(())
}

async fn call(address: &str, orders: usize, render: impl Fn(usize, usize) -> Vec<u8>) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    for first in (0..orders).step_by(BATCH) {
        connection.exchange(&render(first, BATCH.min(orders - first)), 200).await?;
    }
    Ok(())
}
