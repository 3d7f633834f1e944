#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ordersys_fuzz::access_token(bytes));
