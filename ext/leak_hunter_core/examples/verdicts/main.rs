//! The confusion matrix of the verdict on simulated histories: `rake bench:verdict`.
//!
//! `verdicts RUNS` simulates so many runs of each program with three, four, five and six moments, and prints which
//! verdict they got, precision and recall, as Markdown. Fails where one of them is below 0.97 with dumps. With `-v`, the
//! reasons, too.
#![allow(clippy::print_stdout)]

#[path = "../../tests/histories/mod.rs"]
mod histories;

use std::collections::BTreeMap;
use std::error::Error;

use histories::{Program, Score, Taken, simulate};
use leak_hunter_core::verdict::Verdict;

/// What is asked of precision and recall.
const ASKED: f64 = 0.97;
const MOMENTS: std::ops::RangeInclusive<usize> = 3..=6;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let runs: u64 = arguments.next().ok_or("usage: verdicts RUNS [-v]")?.parse()?;
    let verbose = arguments.next().is_some();
    println!("Dumps or heaps, which have the lengths of collections:\n");
    let dumps = matrix(Taken::Dumps, runs, verbose)?;
    println!("\nMarks and a heap, which have none:\n");
    matrix(Taken::Marks, runs, verbose)?;
    match dumps.precision().min(dumps.recall()) >= ASKED {
        true => Ok(()),
        false => Err(format!("asked of dumps: {ASKED}").into()),
    }
}

fn matrix(taken: Taken, runs: u64, verbose: bool) -> Result<Score, Box<dyn Error>> {
    let names = Verdict::ALL.map(Verdict::name).join(" | ");
    println!("| program | moments | {names} |\n|---|---|---|---|---|---|---|");
    let mut score = Score::default();
    let mut reasons: BTreeMap<(Program, usize, &str), u64> = BTreeMap::new();
    for program in Program::ALL {
        for moments in MOMENTS {
            let mut counts = [0; Verdict::ALL.len()];
            for seed in 0..runs {
                let judgement = simulate(program, moments, taken, seed).judge();
                let column = Verdict::ALL
                    .iter()
                    .position(|verdict| *verdict == judgement.verdict);
                counts[column.ok_or("a verdict without a column")?] += 1;
                *reasons
                    .entry((program, moments, judgement.because.name()))
                    .or_default() += 1;
                score.count(program.answer(judgement.verdict));
            }
            let counts = counts.map(|count: u64| count.to_string()).join(" | ");
            println!("| {} | {moments} | {counts} |", program.name());
        }
    }
    if verbose {
        for ((program, moments, because), count) in reasons {
            println!("{:22} {moments}  {because:16} {count}", program.name());
        }
    }
    println!(
        "\nprecision {:.4}, recall {:.4}; of {} leaks {} are inconclusive, {} are said not to grow",
        score.precision(),
        score.recall(),
        score.found + score.undecided + score.denied,
        score.undecided,
        score.denied
    );
    Ok(score)
}
