#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| signalbox_fuzz::json_array::run(data));
