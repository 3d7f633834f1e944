//! Numbers as digits and as dice, without allocation.

/// A bijection of 64 bits that leaves no visible pattern (the finalizer of `SplitMix64`).
#[must_use]
pub fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Writes hexadecimal digits, zeros in front.
pub fn hex(mut value: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

/// Appends decimal digits.
pub fn put_number(mut number: u32, body: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    body.extend_from_slice(&digits[at..]);
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

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [0, 7, 10, 10_000, u32::MAX] {
            let mut body = b"n=".to_vec();
            put_number(number, &mut body);
            assert_eq!(String::from_utf8(body).expect("digits"), format!("n={number}"));
        }
        let mut digits = [0; 16];
        hex(0x0123_4567_89ab_cdef, &mut digits);
        assert_eq!(&digits, b"0123456789abcdef");
    }
}
