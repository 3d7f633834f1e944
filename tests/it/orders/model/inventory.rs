//! What the product service does about one reservation of the model.

use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_product::domain::transition::{self, Event as Change, Step};

use super::protocol::{Forgetting, Protocol, Rule, Taking};
use super::purchase::{Answer, Asker, Call, Purchase};

impl Protocol {
    /// The product service's transaction for `call`.
    pub(super) fn deliver(
        self,
        purchase: Purchase,
        asker: Asker,
        call: Call,
        available: i8,
    ) -> Option<Purchase> {
        let asked = match asker {
            Asker::Before => purchase.asked_before,
            Asker::Now(who) => purchase.drivers[who].asked,
        };
        if !asked.has(call as u8) {
            return None;
        }
        let from = purchase.reservation;
        let event = match call {
            Call::Reserve if available < 1 => Change::Short,
            Call::Reserve if self.taking == Taking::AtOnce => Change::HoldAndCommit,
            Call::Reserve => Change::Hold,
            Call::Confirm => Change::Confirm,
            Call::Cancel => Change::Cancel,
            Call::Release => Change::Release,
        };
        match transition::step(from, event) {
            Step::To(to) if self.forgets_at_once(from, to) => {
                Some(purchase.answering(asker, from, Answer::Is(to)))
            }
            Step::To(to) => Some(purchase.answering(asker, Some(to), Answer::Is(to))),
            Step::Stay | Step::Refuse => Some(purchase.answering(asker, from, Answer::Is(from?))),
            Step::Missing => None,
        }
    }

    fn forgets_at_once(self, from: Option<Reservation>, to: Reservation) -> bool {
        let unrecorded = match self.without {
            Some(Rule::Tombstone) => Some(Reservation::Cancelled),
            Some(Rule::StickyRejection) => Some(Reservation::Rejected),
            Some(
                Rule::ProductDecides
                | Rule::ProofBeforeEnd
                | Rule::LateProvesNothing
                | Rule::VersionDecides
                | Rule::OwnStepIsKnown
                | Rule::RestockOnce,
            )
            | None => None,
        };
        from.is_none() && unrecorded == Some(to)
    }

    pub(super) fn forget(self, purchase: Purchase) -> Option<Purchase> {
        let settled = [Reservation::Rejected, Reservation::Cancelled, Reservation::Expired];
        let may = match self.forgetting {
            Forgetting::Never => false,
            Forgetting::Freely => true,
        };
        let may = may && purchase.reservation.is_some_and(|state| settled.contains(&state));
        may.then_some(Purchase { reservation: None, ..purchase })
    }
}
