//! The other end of `ctl.sock`: how a command speaks to the server that runs beside it. Owns: the client, and the socket's path.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A Unix socket's path has at most this many bytes (`sockaddr_un`); a longer one is reached through its folder's file descriptor.
const PATH_BYTES_MAX: usize = 100;
/// One line of a long answer has at most this many bytes: a row with a record of 16 MiB, escaped.
const LINE_BYTES_MAX: usize = 128 << 20;

/// Where the socket of a data folder lies.
pub fn socket(data: &Path) -> PathBuf {
    data.join("ctl.sock")
}

/// The socket under a path that is short enough, and what must stay open meanwhile.
pub(crate) fn reachable(data: &Path) -> std::io::Result<(PathBuf, Option<std::fs::File>)> {
    let path = socket(data);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return Ok((path, None));
    }
    let folder = std::fs::File::open(data)?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    Ok((PathBuf::from(format!("/proc/self/fd/{number}/ctl.sock")), Some(folder)))
}

/// What went wrong when a running server was asked.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// It did not answer as it should.
    #[error("asking the running server through {path}: {why}", path = .path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// It said no.
    #[error("{message}")]
    Said {
        /// Its words.
        message: String,
        /// The exit code that it proposes.
        exit: Option<u8>,
    },
}

/// Speaks to a running server.
pub struct Client {
    http: reqwest::Client,
    path: PathBuf,
    _folder: Option<std::fs::File>,
}

impl Client {
    /// The server that runs on this data folder, if one does.
    pub fn find(data: &Path) -> Option<Self> {
        let (path, folder) = reachable(data).ok()?;
        std::os::unix::net::UnixStream::connect(&path).ok()?;
        crate::start::ready_for_tls();
        let http = reqwest::Client::builder().unix_socket(path.clone()).no_proxy().build().ok()?;
        Some(Self { http, path, _folder: folder })
    }

    fn broken(&self, why: impl std::fmt::Display) -> CtlError {
        CtlError::Broken { path: self.path.clone(), why: why.to_string() }
    }

    async fn said(&self, response: reqwest::Response) -> Result<reqwest::Response, CtlError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body: Value = response.json().await.map_err(|e| self.broken(e))?;
        let message = body["error"]["message"].as_str().map_or_else(|| status.to_string(), str::to_owned);
        let exit = match body["error"]["code"].as_str() {
            Some("bad_question") => Some(65),
            Some("refused") => Some(77),
            Some("not_found" | "state" | "channel") => Some(2),
            Some("import") => Some(74),
            _ => None,
        };
        Err(CtlError::Said { message, exit })
    }

    /// Asks and gets one answer.
    pub async fn get(&self, path: &str) -> Result<Value, CtlError> {
        let response = self.http.get(format!("http://bartizan{path}")).send().await.map_err(|e| self.broken(e))?;
        self.said(response).await?.json().await.map_err(|e| self.broken(e))
    }

    /// Says something and gets one answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, CtlError> {
        let response = self.http.post(format!("http://bartizan{path}")).json(body).send().await.map_err(|e| self.broken(e))?;
        self.said(response).await?.json().await.map_err(|e| self.broken(e))
    }

    /// Asks and gets JSON Lines, one call a line.
    pub async fn lines(&self, path: &str, body: &Value, mut each: impl FnMut(Value) -> Result<(), String>) -> Result<(), CtlError> {
        let response = self.http.post(format!("http://bartizan{path}")).json(body).send().await.map_err(|e| self.broken(e))?;
        let mut response = self.said(response).await?;
        let mut pending = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(e))? {
            pending.extend_from_slice(&chunk);
            if pending.len() > LINE_BYTES_MAX {
                return Err(self.broken("a line of the answer is too long"));
            }
            let mut from = 0;
            while let Some(n) = pending[from..].iter().position(|b| *b == b'\n') {
                let value: Value = serde_json::from_slice(&pending[from..from + n]).map_err(|e| self.broken(e))?;
                if let Some(error) = value.get("error") {
                    let message = error["message"].as_str().unwrap_or_default().to_owned();
                    let exit = error["exit"].as_u64().and_then(|e| u8::try_from(e).ok());
                    return Err(CtlError::Said { message, exit });
                }
                each(value).map_err(|why| self.broken(why))?;
                from += n + 1;
            }
            pending.drain(..from);
        }
        Ok(())
    }
}
