//! Batches of operations on reservations: those that wait together are decided in one transaction.

use std::sync::OnceLock;
use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::reservation::{Action, Answer, Operation};
use ordersys_store::postgres::{Batch, PgResult, Session};
use ordersys_store::{StoreError, failpoint};

use super::Tables;
use super::working_set::{Wanted, WorkingSet};

/// The lane of such batches.
pub(super) struct Apply;

/// One call: its operations are done in one transaction, with those of other calls, or not at all.
pub(super) struct Command {
    operations: Vec<Operation>,
    arrived: Instant,
    deadline: Deadline,
    /// Whether it was begun in time. Run again it is not asked anew: it may have been committed.
    in_time: OnceLock<bool>,
}

impl Command {
    fn is_in_time(&self, now: Instant) -> bool {
        *self.in_time.get_or_init(|| !self.deadline.has_passed(now))
    }

    fn decide(&self, set: &mut WorkingSet, now: Instant) -> Vec<Answer> {
        let waited = now.saturating_duration_since(self.arrived);
        self.operations.iter().map(|operation| set.inventory.apply(operation, waited)).collect()
    }
}

impl Batch for Apply {
    type Command = Command;
    /// `None`: its deadline had passed before it began.
    type Answer = Option<Vec<Answer>>;

    async fn run<'a>(&'a self, session: &'a Session, commands: &'a [Command]) -> PgResult<Vec<Self::Answer>> {
        let now = Instant::now();
        let live: Vec<_> = commands.iter().map(|command| command.is_in_time(now)).collect();
        if !live.contains(&true) {
            return Ok(vec![None; commands.len()]);
        }
        let in_time = || commands.iter().zip(&live).filter(|(_, live)| **live).map(|(command, _)| command);
        let mut wanted = wanted(in_time().flat_map(|command| &command.operations));
        wanted.name_products(session).await?;
        let transaction = session.begin();
        let mut set = wanted.lock(&transaction).await?;
        let now = Instant::now();
        let decide = |(command, live): (&Command, &bool)| live.then(|| command.decide(&mut set, now));
        let answers = commands.iter().zip(&live).map(decide).collect();
        set.write_back(&transaction, None)?;
        failpoint::crash(|| "product-apply");
        transaction.commit().await?;
        Ok(answers)
    }
}

/// The rows that operations may touch.
fn wanted<'a>(operations: impl Iterator<Item = &'a Operation>) -> Wanted {
    let mut wanted = Wanted::default();
    for Operation { order_id, action, .. } in operations {
        wanted.reservations.insert(*order_id);
        match action {
            Action::Reserve { lines, .. } => {
                wanted.products.extend(lines.iter().map(|line| line.product_id));
            }
            Action::Confirm | Action::Cancel | Action::Release => {
                wanted.moving.insert(*order_id);
            }
        }
    }
    wanted
}

impl Tables {
    pub(crate) async fn apply(
        &self,
        operations: Vec<Operation>,
        arrived: Instant,
        deadline: Deadline,
    ) -> Result<Vec<Answer>, StoreError> {
        let lane = self.lane().ok_or(StoreError::Stopped)?;
        let command = Command { operations, arrived, deadline, in_time: OnceLock::new() };
        let answers = lane.run(command).await?.ok_or(StoreError::Late)?;
        failpoint::crash(|| "product-committed");
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_begun_in_time_is_not_late_when_it_is_run_again() {
        let now = Instant::now();
        let later = now + Duration::from_secs(9);
        let deadline = Deadline(Some(now + Duration::from_secs(1)));
        let command = || Command { operations: Vec::new(), arrived: now, deadline, in_time: OnceLock::new() };
        let begun = command();
        assert_eq!([now, later].map(|when| begun.is_in_time(when)), [true, true]);
        let waited = command();
        assert_eq!([later, now].map(|when| waited.is_in_time(when)), [false, false]);
    }
}
