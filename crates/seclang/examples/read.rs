//! `cargo run --release --example read -- FILE…`: reads a configuration, says what is in it and how long it took.

#[path = "../tests/support/mod.rs"]
mod support;

use secbeat_seclang::{Entry, load};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let entries: Vec<_> = std::env::args_os().skip(1).map(|path| Entry::File(path.into())).collect();
    let begin = Instant::now();
    let result = load(&support::Disk, &entries);
    let took = begin.elapsed();
    match result {
        Ok(set) => {
            for (span, note) in &set.notes {
                let file = set.files.get(usize::from(span.file)).map_or("", |file| &**file);
                println!("{file}:{}: {note}", span.line);
            }
            println!("{} files, {} rules and markers, {took:?}", set.files.len(), set.items.len());
            ExitCode::SUCCESS
        }
        Err(errors) => {
            errors.iter().for_each(|error| println!("{error}"));
            ExitCode::FAILURE
        }
    }
}
