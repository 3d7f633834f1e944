//! Where the units of a product are, and moving them without losing one.

use ordersys_contract::reservation::ReservationState;

/// Where every unit of a product is: `initial + restocked = available + reserved + sold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    /// Units at the start.
    pub initial: u64,
    /// Units added since.
    pub restocked: u64,
    /// Units that can be ordered.
    pub available: u64,
    /// Units held for orders not yet decided.
    pub reserved: u64,
    /// Units that left with an order.
    pub sold: u64,
}

/// One of the three places a unit can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Can be ordered.
    Available,
    /// Held for an order.
    Reserved,
    /// Left with an order.
    Sold,
}

impl Place {
    /// Where the units of a reservation in this state are.
    #[must_use]
    pub fn of(state: Option<ReservationState>) -> Self {
        match state {
            Some(ReservationState::Held) => Self::Reserved,
            Some(ReservationState::Committed) => Self::Sold,
            None
            | Some(
                ReservationState::Rejected
                | ReservationState::Cancelled
                | ReservationState::Expired
                | ReservationState::Released,
            ) => Self::Available,
        }
    }
}

impl Stock {
    /// The stock of a new product.
    #[must_use]
    pub fn new(initial: u64) -> Self {
        Self { initial, restocked: 0, available: initial, reserved: 0, sold: 0 }
    }

    /// The stock after `units` moved; `None` if there are not that many where they should leave.
    #[must_use]
    pub fn moved(mut self, units: u64, from: Place, to: Place) -> Option<Self> {
        let source = self.place(from);
        *source = source.checked_sub(units)?;
        let target = self.place(to);
        *target = target.checked_add(units)?;
        Some(self)
    }

    /// The stock after `units` were added; `None` beyond what can be counted.
    #[must_use]
    pub fn restocked_by(mut self, units: u64) -> Option<Self> {
        self.restocked = self.restocked.checked_add(units)?;
        self.available = self.available.checked_add(units)?;
        i64::try_from(self.initial.checked_add(self.restocked)?).ok()?;
        Some(self)
    }

    fn place(&mut self, place: Place) -> &mut u64 {
        match place {
            Place::Available => &mut self.available,
            Place::Reserved => &mut self.reserved,
            Place::Sold => &mut self.sold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_move_but_are_never_made_or_lost() {
        let start = Stock::new(5);
        let held = start.moved(3, Place::Available, Place::Reserved).expect("enough");
        assert_eq!((held.available, held.reserved), (2, 3));
        assert_eq!(held.moved(3, Place::Available, Place::Sold), None, "only two are left");
        let sold = held.moved(3, Place::Reserved, Place::Sold).expect("held");
        let back = sold.moved(3, Place::Sold, Place::Available).expect("sold");
        assert_eq!(back, start);
        assert_eq!(start.restocked_by(u64::MAX), None);
        let most = i64::MAX.unsigned_abs() - 5;
        assert_eq!(start.restocked_by(most + 1), None, "more than a row holds");
        assert_eq!(start.restocked_by(most).map(|stock| stock.restocked), Some(most));
        assert_eq!(start.restocked_by(2).map(|stock| stock.available), Some(7));
    }
}
