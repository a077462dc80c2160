//! Rounds of writing and killing.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use dendro::engine::EngineKind;
use rand::Rng;

use super::{
    book::Book,
    child::{DIR, ENGINE, ROUND},
};
use crate::support::store::{TestStore, restless};

/// How long a process may write once it has opened the database, in milliseconds.
const LIFE: std::ops::Range<u64> = 5..1_000;

/// Whether a round begins with an empty database, or goes on with what the ones before left.
fn is_fresh(round: u64) -> bool {
    round == 4 || round % 10 >= 8
}

/// Whether everything since the first round is looked at, or only what the round itself added: with a
/// hundred rounds that would be most of the work.
fn looks_at_all(round: u64) -> bool {
    round < 10 || round.is_multiple_of(10)
}

#[test]
fn a_killed_process_loses_nothing_on_sled() {
    rounds(EngineKind::Sled);
}

#[test]
fn a_killed_process_loses_nothing_on_fjall() {
    rounds(EngineKind::Fjall);
}

fn rounds(kind: EngineKind) {
    let rounds: u64 = env::var("DENDRO_KILL_ROUNDS").map_or(5, |text| text.parse().unwrap());
    let (long, mut all, began) = (tempfile::tempdir().unwrap(), Book::default(), Instant::now());
    let (mut acknowledged, mut opening) = (0, 0);
    // On a machine that is busy with other work it may take more of them until one comes to write.
    for round in 0..rounds * 10 {
        if round >= rounds && acknowledged > 0 {
            break;
        }
        let fresh = is_fresh(round).then(|| tempfile::tempdir().unwrap());
        let dir = fresh.as_ref().map_or(long.path(), |fresh| fresh.path());
        let mut added = Book::default();
        let opened = killed(kind, dir, round, &mut |line| {
            added.add(line);
            if fresh.is_none() {
                all.add(line);
            }
        });
        look(kind, dir, if fresh.is_none() && looks_at_all(round) { &all } else { &added });
        acknowledged += added.count;
        opening += u64::from(!opened);
        println!("{kind}, round {round}: {} acknowledgements, {:?}", added.count, began.elapsed());
    }
    look(kind, long.path(), &all);
    println!("{kind}: {rounds} rounds, {opening} killed while opening, {acknowledged} acknowledgements held");
    assert!(acknowledged > 0, "no process came to write anything");
}

/// Lets a process write and kills it, and hands on every line that it said. Answers whether it had
/// opened the database.
fn killed(kind: EngineKind, dir: &Path, round: u64, book: &mut dyn FnMut(&str)) -> bool {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "durability::child::writes_until_it_is_killed", "--nocapture"])
        .env(DIR, dir)
        .env(ENGINE, kind.to_string())
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines_of(&mut child);
    let mut random = rand::rng();
    let mut ready = false;
    let mut deadline = Instant::now() + Duration::from_millis(random.random_range(0..80));
    // Some are killed before they are ready, most of them afterwards.
    if random.random_range(0..4) > 0 {
        deadline += Duration::from_secs(60);
    }
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line == "ready" => {
                ready = true;
                deadline = Instant::now() + Duration::from_millis(random.random_range(LIFE));
            }
            Ok(line) => book(&line),
            Err(_) => break,
        }
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.signal(), Some(9), "the process ended by itself: {said}");
    lines.iter().for_each(|line| book(&line));
    ready
}

/// What a child says, line by line; what it did not finish is left out.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        while out.read_line(&mut line).is_ok_and(|length| length > 0) {
            if let Some(whole) = line.strip_suffix('\n') {
                sender.send(whole.to_owned()).unwrap();
            }
            line.clear();
        }
    });
    lines
}

/// Opens what is left, and asserts that the book holds.
fn look(kind: EngineKind, dir: &Path, book: &Book) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bed = TestStore::at(kind, dir).config(restless()).open().await;
        book.assert_holds(&bed).await;
    });
}
