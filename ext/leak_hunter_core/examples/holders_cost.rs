//! What holders cost: diffs without and with them in turn, so that other load on the machine slows both down.
//!
//! `holders_cost THREADS RUNS FIRST SECOND THIRD` prints medians and lower quartiles in seconds, and their quotients: where
//! much else runs, lower quartiles say more. With 0 runs it prints the report itself, to compare two versions of the engine.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use leak_hunter_core::Progress;
use leak_hunter_core::diff::{Options, diff};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, threads, runs, first, second, third] = arguments.as_slice() else {
        return Err("usage: holders_cost THREADS RUNS FIRST SECOND THIRD".into());
    };
    let paths = [first, second, third].map(PathBuf::from);
    let options = |holders| Options {
        holders,
        top: None,
        threads: threads.parse().ok(),
        ..Options::default()
    };
    let runs: usize = runs.parse()?;
    if runs == 0 {
        println!("{:#?}", diff(&paths, &options(true), &Progress::default())?);
        return Ok(());
    }
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (index, holders) in [false, true].into_iter().enumerate() {
            let start = Instant::now();
            drop(diff(&paths, &options(holders), &Progress::default())?);
            seconds[index].push(start.elapsed().as_secs_f64());
        }
    }
    for all in &mut seconds {
        all.sort_by(f64::total_cmp);
    }
    let row = |index: usize| {
        let [plain, holders] = [seconds[0][index], seconds[1][index]];
        let quotient = holders / plain;
        format!(r#"{{"plain": {plain:.4}, "holders": {holders:.4}, "quotient": {quotient:.3}}}"#)
    };
    println!(
        r#"{{"median": {}, "lower_quartile": {}}}"#,
        row(runs / 2),
        row(runs / 4)
    );
    Ok(())
}
