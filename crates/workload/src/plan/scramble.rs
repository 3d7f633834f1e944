//! Numbers as dice: what a request does follows from its number.

/// A bijection of 64 bits that leaves no visible pattern (the finalizer of `SplitMix64`).
pub(crate) fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrambled_are_the_first_numbers_of_split_mix() {
        for (seed, first) in
            [(0, 0xe220_a839_7b1d_cdaf), (1, 0x910a_2dec_8902_5cc1), (u64::MAX, 0xe4d9_7177_1b65_2c20)]
        {
            assert_eq!(scramble(seed), first, "{seed}");
        }
    }
}
