//! The conformance suite's first level: the core in this process, on virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::{case, summary};

fn file(name: &str) {
    if let Err(failures) = summary::run("in_process", name, InProcess::run) {
        panic!("{failures}");
    }
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test] fn $name() { file(stringify!($name)); })*

        #[test]
        fn every_file_of_cases_is_run() {
            assert_eq!(case::names().unwrap(), [$(stringify!($name)),*]);
        }
    };
}

include!("../cases/files.rs");
