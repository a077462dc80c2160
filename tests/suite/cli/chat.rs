//! `dendro chat`, as people talk with it and as scripts do.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::Value;

use super::{Ended, Serving, dendro, life::post};

const SCRIPTS: &str = r#"
scripts:
  sums:
    turns:
      - when: { user: sum }
        thinking: A tool knows.
        text: One moment.
        tool_calls: [{ name: calculator, arguments: { expression: "6 * 7" } }]
      - when: { tool: calculator }
        text: "It is {{tool_result}}."
    otherwise: { text: "Heard: {{input}}" }
  broken:
    otherwise: { text: Never said., fail: { kind: refused, message: not today } }
  shaky:
    otherwise:
      text: Two words.
      fail: { kind: cut_off, after_pieces: 1, times: 1, retry_after_ms: 10, message: the line broke }
  slow:
    otherwise: { text: "one two three four five six seven eight", piece_delay_ms: 400 }
  wild:
    turns:
      - when: { step: 0 }
        text: "red \e[31m, bell \a, title \e]0;mine\a, C1 \x9b2J."
        tool_calls: [{ name: calculator, arguments: { expression: "\e[2J" } }]
      - when: { step: 1 }
        text: "tab\tand\nline"
"#;

/// A folder with the scripts as models of provider `play`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scripts.yaml"), SCRIPTS).unwrap();
    let config = "[models.providers.play]\nkind = \"scripted\"\nscript = \"scripts.yaml\"\n";
    fs::write(folder.path().join("dendro.toml"), config).unwrap();
    folder
}

/// Says lines, and what came of it.
fn say(mut command: Command, lines: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut chat = command.spawn().unwrap();
    // A chat that ends before it has read them all says why.
    let _ = chat.stdin.take().unwrap().write_all(lines.as_bytes());
    chat.wait_with_output().unwrap().into()
}

fn chat(folder: &Path, arguments: &[&str], lines: &str) -> Ended {
    say(dendro(folder, &[&["chat"], arguments].concat()), lines)
}

fn serve(folder: &Path) -> Serving {
    Serving::start(dendro(folder, &["serve", "--listen", "127.0.0.1:0", "--engine", "memory"]))
}

/// The lines, in which each text must follow the one before.
fn assert_in_order(out: &str, texts: &[&str]) {
    let mut rest = out;
    for text in texts {
        let at = rest.find(text).unwrap_or_else(|| panic!("`{text}` is not in its place in:\n{out}"));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn each_line_is_answered_with_the_spans_that_it_took() {
    let folder = folder();
    let arguments = ["--engine", "memory", "--model", "play/sums", "--system", "You help."];
    let ended = chat(folder.path(), &arguments, "a sum, please\n\n//etc is a folder\n/trace\n");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    assert_in_order(
        &ended.out,
        &[
            "Talking with agents/chat (play/sums, scripted).",
            "/graphiql",
            "\n  ▸ agent chat",
            "\n    ▸ model chat sums",
            "\n(thinking) A tool knows.\nOne moment.\n    ✓ model chat sums  ",
            "\n    ▸ tool calculator {\"expression\":\"6 * 7\"}",
            "\n    ✓ tool calculator  ",
            "\n      → 42",
            "\nIt is 42.\n    ✓ model chat sums  ",
            "\n  ✓ agent chat  ",
            " · 5 spans · ",
            " tokens in, ",
            " out · cost unknown",
            "\nHeard: /etc is a folder",
            "\nspan ",
            "\n✓ agent chat ",
            "\n  ✓ model chat sums ",
        ],
    );
    assert!(!ended.out.contains('\x1b'), "{}", ended.out);
}

#[tokio::test]
async fn a_server_that_runs_is_talked_to_and_conversations_go_on_and_branch() {
    let folder = folder();
    let server = serve(folder.path());
    let url = format!("http://{}/", server.address);
    let made =
        chat(folder.path(), &["--url", &url, "--model", "play/sums", "--tool", "calculator"], "first\n");
    assert_eq!(made.code, Some(0), "{made:?}");
    let conversations = async || {
        const ALL: &str = "{ conversations(orderBy: NEWEST_FIRST) { nodes {
            conversationId title messages(first: 9) { nodes { content } }
        } } }";
        post(&server.address, ALL).await["data"]["conversations"]["nodes"].clone()
    };
    let first = conversations().await[0].clone();
    assert_eq!(first["title"], "first");

    // The only agent needs no name. What was said before is shown.
    let id = first["conversationId"].as_str().unwrap();
    let lines = "second\nthird\n/branch 2\nother\n/retry\n/spans off\nlast\n/new\nnew\n";
    let ended = chat(folder.path(), &["--url", &url, "--conversation", id], lines);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let back = "Back before: second\n";
    assert_in_order(&ended.out, &["you> first\nHeard: first\n", "Heard: third\n", back, "Heard: other\n"]);
    assert_in_order(&ended.out, &[" out · cost unknown\nHeard: last\n", "conversation.\nHeard: new\n"]);
    let contents = |conversation: &Value| {
        let nodes = conversation["messages"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["content"].as_str().unwrap().replace("Heard: ", "=")).collect::<Vec<_>>()
    };
    let said: Vec<_> = conversations().await.as_array().unwrap().iter().map(contents).collect();
    let expected: [&[&str]; 4] = [
        &["new", "=new"],
        &["first", "=first", "other", "=other", "last", "=last"],
        &["first", "=first", "other", "=other"],
        &["first", "=first", "second", "=second", "third", "=third"],
    ];
    assert_eq!(said, expected);
    let unknown = chat(folder.path(), &["--url", &url, "--conversation", "none"], "");
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
}

#[test]
fn a_run_that_fails_says_so_and_ends_the_chat_with_1() {
    let folder = folder();
    let arguments = ["--engine", "memory", "--model", "play/broken"];
    let ended = chat(folder.path(), &arguments, "anything\n/wat\n");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let failed =
        ["✗ model chat broken", "2 errors", "✗ MODEL_FAILED: refused: not today", "`/retry` asks again"];
    assert_in_order(&ended.out, &failed);
    assert!(ended.out.contains("there is no `/wat`; there are /help "), "{}", ended.out);

    let ended = chat(folder.path(), &["--engine", "memory", "--model", "play/shaky"], "anything\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_in_order(&ended.out, &["↻ ", "the line broke", " is void", "Two words.\n", "1 error\n"]);
}

/// A chat whose agent counts slowly, and has begun to.
struct Counting {
    process: Child,
    /// Stays open: it is not the end of its input that ends the chat.
    _input: ChildStdin,
    out: BufReader<ChildStdout>,
    seen: Vec<u8>,
}

impl Counting {
    fn start(folder: &Path, url: &str) -> Self {
        let mut command = dendro(folder, &["chat", "--url", url, "--model", "play/slow"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        input.write_all(b"count\n/quit\n").unwrap();
        let (mut out, mut seen) = (BufReader::new(process.stdout.take().unwrap()), Vec::new());
        while !String::from_utf8_lossy(&seen).contains("one ") {
            assert!(out.read_until(b' ', &mut seen).unwrap() > 0, "{}", String::from_utf8_lossy(&seen));
        }
        Self { process, _input: input, out, seen }
    }

    fn end(mut self) -> (Option<i32>, String) {
        self.out.read_to_end(&mut self.seen).unwrap();
        (self.process.wait().unwrap().code(), String::from_utf8(self.seen).unwrap())
    }
}

#[test]
fn a_run_that_ended_with_its_server_is_told_once_the_server_is_back() {
    let folder = folder();
    let serve =
        |listen: &str| Serving::start(dendro(folder.path(), &["serve", "--listen", listen, "--data", "db"]));
    let server = serve("127.0.0.1:0");
    let address = server.address.clone();
    let chat = Counting::start(folder.path(), &format!("http://{address}"));
    server.kill();
    let server = serve(&address);
    let (code, seen) = chat.end();
    assert_eq!(code, Some(1), "{seen}");
    let told =
        ["one ", "trying again", "is missing here", "✗ The server stopped while the agent was at work."];
    assert_in_order(&seen, &told);
    drop(server);
}

#[tokio::test]
async fn an_interrupt_cancels_the_run() {
    let folder = folder();
    let server = serve(folder.path());
    let url = format!("http://{}", server.address);
    let chat = Counting::start(folder.path(), &url);
    let id = chat.process.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    let (code, seen) = chat.end();
    assert_eq!(code, Some(1));
    assert_in_order(&seen, &["one ", "stopping…", "Stopped."]);
    let traces = post(&server.address, "{ traces { nodes { status finalOutput } } }").await;
    let traces = traces["data"]["traces"]["nodes"].as_array().unwrap().clone();
    assert_eq!((traces.len(), &traces[0]["status"]), (1, &Value::from("CANCELLED")), "{traces:?}");
}

#[test]
fn a_model_does_not_drive_the_terminal() {
    let folder = folder();
    let ended = chat(folder.path(), &["--engine", "memory", "--model", "play/wild"], "go\n/trace\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let driving = |character: char| character.is_control() && !['\n', '\t'].contains(&character);
    assert!(!ended.out.contains(driving), "{:?}", ended.out);
    let texts =
        ["red [31m, bell , title ]0;mine, C1 2J.\n", "▸ tool calculator {", "      ✗ ", "tab\tand\nline\n"];
    assert_in_order(&ended.out, &texts);
}

#[tokio::test]
async fn whoever_cannot_be_talked_with_is_told_with_what_there_is() {
    let folder = folder();
    let none = chat(folder.path(), &["--engine", "memory"], "hello\n");
    assert_eq!(none.code, Some(1), "{none:?}");
    assert_in_order(&none.err, &["no agent yet", "--model scripted/demo", "play/sums  (scripted"]);
    let unmade = chat(folder.path(), &["--engine", "memory", "--model", "play/nope"], "hello\n");
    assert_eq!(unmade.code, Some(1), "{unmade:?}");
    assert!(unmade.err.contains("no agent can be made with the model `play/nope`"), "{unmade:?}");

    let server = serve(folder.path());
    let url = format!("http://{}", server.address);
    for name in ["one", "two"] {
        let create = format!(
            "mutation {{ createAgent(input: {{ name: \"{name}\", systemPrompt: \"Help.\",
                model: {{ name: \"play/sums\" }} }}) {{ created }} }}"
        );
        let made = post(&server.address, &create).await;
        assert_eq!(made["data"]["createAgent"]["created"], true);
    }
    let arguments: [&[&str]; 3] = [&[], &["--agent", "three"], &["--agent", "one", "--label", "best"]];
    for arguments in arguments {
        let ended = chat(folder.path(), &[&["--url", &url], arguments].concat(), "hello\n");
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{arguments:?}");
        assert_in_order(&ended.err, &["agents/one  play/sums", "agents/two  play/sums"]);
    }
    let ended = chat(folder.path(), &["--url", &url, "--agent", "two"], "hello\n/agents one\nyou\n");
    assert_in_order(&ended.out, &["▸ agent two", "Heard: hello", "agents/one answers now", "▸ agent one"]);
    drop(server);
    let gone = chat(folder.path(), &["--url", &url], "hello\n");
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.err.contains("cannot be reached"), "{gone:?}");
    for wrong in [&["--url", "here"][..], &["--url", &url, "--data", "db"], &["--system", "x"]] {
        assert_eq!(chat(folder.path(), wrong, "").code, Some(2), "{wrong:?}");
    }
}

/// A way to a server that breaks off once, in the middle of the first event stream.
fn breaking(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let has_broken = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&server).unwrap();
            let streams = Arc::new(AtomicBool::new(false));
            let (asking, answering) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let asked = streams.clone();
            thread::spawn(move || {
                pass(asking, server, |bytes| {
                    let is_stream = bytes.windows(15).any(|part| part == b"/graphql/stream");
                    asked.fetch_or(is_stream, Ordering::SeqCst);
                    true
                });
            });
            let has_broken = has_broken.clone();
            thread::spawn(move || {
                pass(answering, client, |bytes| {
                    let is_middle =
                        streams.load(Ordering::SeqCst) && bytes.windows(5).any(|part| part == b"three");
                    !is_middle || has_broken.swap(true, Ordering::SeqCst)
                });
            });
        }
    });
    address
}

/// Passes on what comes, until there is no more or it is to break off.
fn pass(mut from: TcpStream, mut to: TcpStream, mut goes_on: impl FnMut(&[u8]) -> bool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !goes_on(&bytes[..count]) || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn a_lost_connection_is_made_again_and_nothing_is_said_twice() {
    let folder = folder();
    let server = serve(folder.path());
    let url = format!("http://{}", breaking(server.address.clone()));
    let ended = chat(folder.path(), &["--url", &url, "--model", "play/slow"], "count\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_in_order(&ended.out, &["one two \n", "trying again\n", "three four five six seven eight\n"]);
    for once in ["one", "three", "▸ agent chat", "✓ agent chat", "trying again"] {
        assert_eq!(ended.out.matches(once).count(), 1, "{once}: {}", ended.out);
    }
}

/// Types into a terminal whatever its arguments say, each pair what to wait for and what to type then.
const TYPING: &str = r#"
import os, pty, sys
program, steps = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(program, [program, "chat", "--data", "db", "--model", "play/slow"])
out, at = b"", 0
def more():
    global out
    try:
        read = os.read(terminal, 65536)
    except OSError:
        read = b""
    out += read
    return read
for wait, keys in zip(steps[::2], steps[1::2]):
    while (found := out.find(wait.encode(), at)) < 0:
        if not more():
            sys.exit("it ended before it said " + wait + ":\n" + out.decode())
    at = found + len(wait.encode())
    os.write(terminal, keys.encode())
while more():
    pass
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn typed(folder: &Path, variables: &[(&str, &str)], steps: &[(&str, &str)]) -> Ended {
    let mut python = Command::new("timeout");
    python.args(["60", "python3", "-c", TYPING, env!("CARGO_BIN_EXE_dendro")]);
    python.args(steps.iter().flat_map(|(wait, keys)| [wait, keys])).current_dir(folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DENDRO_")) {
        python.env_remove(name);
    }
    python.env("TERM", "xterm").env_remove("NO_COLOR").envs(variables.iter().copied());
    python.stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn in_a_terminal_an_interrupt_stops_the_answer_and_the_chat_goes_on() {
    let folder = folder();
    let steps = [
        ("you> ", "count\r"),
        ("two ", "\x03"),
        ("Stopped.", ""),
        ("you> ", "half\x03"),
        ("once more", ""),
        ("you> ", "/branch\r"),
        ("count", "er\r"),
        ("eight", ""),
        ("you> ", "\x04"),
    ];
    let ended = typed(folder.path(), &[], &steps);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_in_order(
        &ended.out,
        &["\x1b[2m  ▸ agent chat\x1b[0m", "Stopped.", "--conversation goes on with it"],
    );
    let check = super::run(folder.path(), &["check", "--data", "db"]);
    assert_eq!(check.code, Some(0), "the database was closed: {check:?}");
}

#[test]
fn a_terminal_without_colours_is_sent_no_escape_codes() {
    let folder = folder();
    let steps =
        [("you> ", "count\r"), ("two ", "\x03"), ("Stopped.", ""), ("you> ", "\x03"), ("you> ", "\x03")];
    let ended = typed(folder.path(), &[("NO_COLOR", "1")], &steps);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.out.contains('\x1b'), "{}", ended.out);
}
