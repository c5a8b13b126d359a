//! `catalog-gen PRICE_LIST > shared/src/catalog/models.tsv`

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: catalog-gen PRICE_LIST > shared/src/catalog/models.tsv");
        return ExitCode::from(2);
    };
    let made =
        std::fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|text| catalog_gen::table(&text));
    match made {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}
