//! Which columns of a stored order hold what is never written.

/// Columns of a row, one bit for each of `Odd::COLUMNS`: an order is moved about a lot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Odd(u8);

impl Odd {
    /// The columns that are looked at.
    const COLUMNS: [&'static str; 4] = ["reason", "items", "registered", "room"];

    /// Of those columns, in their order, the ones that are odd.
    #[must_use]
    pub fn of(are: [bool; Self::COLUMNS.len()]) -> Self {
        Self(are.into_iter().rev().fold(0, |bits, is_odd| 2 * bits + u8::from(is_odd)))
    }

    /// What the columns are called.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        let names = Self::COLUMNS.into_iter().zip(0..).filter(|(_, bit)| self.0 >> bit & 1 == 1);
        names.map(|(name, _)| name.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_columns_are_named() {
        for number in 0..16 {
            let are = [1, 2, 4, 8].map(|bit| number / bit % 2 == 1);
            let odd = Odd::COLUMNS.into_iter().zip(are).filter_map(|(name, is_odd)| is_odd.then_some(name));
            assert_eq!(Odd::of(are).names(), odd.collect::<Vec<_>>(), "{are:?}");
        }
    }
}
