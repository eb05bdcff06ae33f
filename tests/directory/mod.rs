//! The central directory (central.py) as a process of its own, until it is dropped.

use crate::lane;
use kep::trust::dial::{Dial, Method, Request};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Mock {
    child: Child,
    pub url: String,
}

impl Mock {
    /// `None` where there is no Python.
    pub fn start(token: &str) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/directory/central.py");
        let mut command = Command::new(lane::tool("python3")?);
        let mut child =
            command.args([script, token]).stdout(Stdio::piped()).spawn().expect("python runs");
        let mut port = String::new();
        let out = child.stdout.as_mut().expect("a pipe");
        BufReader::new(out).read_line(&mut port).expect("its port");
        Some(Self { child, url: format!("http://127.0.0.1:{}", port.trim()) })
    }

    /// How it behaves from now on, and what it has.
    pub async fn set(&self, state: Value) {
        self.exchange(Method::Post, Some(state)).await;
    }

    pub async fn state(&self) -> Value {
        self.exchange(Method::Get, None).await
    }

    async fn exchange(&self, method: Method, json: Option<Value>) -> Value {
        let url = format!("{}/control", self.url);
        let json = json.map(|value| value.to_string().into_bytes());
        let request = Request { method, url: &url, bearer: None, idempotency_key: None, json };
        let dial = Dial::straight(Duration::from_secs(30)).unwrap();
        let (_, octets) = dial.exchange(request, 8 << 20).await.unwrap();
        serde_json::from_slice(&octets).unwrap()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
