use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{File, FileAttributes, OpenFlags, Packet, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::meaning::{self, Action, CONNECTION, REFUSED, TIMEOUT};
use super::error;
use super::host::{ConnectError, HostCheck};
use crate::connect::secrets;
use crate::model::{ConnectionConfig, ConnectionKind, Failure, FailureClass, HostKeys, Secret, SftpCredentials};

/// Files and folders open at once. Handles are bytes, which the protocol's reader takes for text: OpenSSH numbers them, and below 128 each
/// is ASCII.
const HANDLES_MAX: usize = 100;

const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";

/// What is needed to begin a session.
pub(super) struct Login {
    host: String,
    port: u16,
    user: String,
    host_keys: HostKeys,
    proof: Proof,
    timeout: Duration,
}

enum Proof {
    Password(Secret),
    Key(Arc<PrivateKey>),
}

impl Login {
    /// Reads the secrets; gives the root as well.
    pub async fn read(config: &ConnectionConfig) -> Result<(Self, String), Failure> {
        let ConnectionKind::Sftp {
            host,
            port,
            user,
            root,
            credentials,
            host_keys,
        } = &config.kind
        else {
            let message = format!("`{}` is of kind `{}`", config.name, config.kind.name());
            return Err(Failure::permanent("connection.wrong_kind", message));
        };
        let login = Self {
            host: host.clone(),
            port: *port,
            user: user.clone(),
            host_keys: host_keys.clone(),
            proof: proof(credentials).await?,
            timeout: config.timeout,
        };
        let trimmed = root.trim_end_matches('/');
        let root = if trimmed.is_empty() && root.starts_with('/') {
            "/"
        } else {
            trimmed
        };
        Ok((login, root.to_owned()))
    }
}

async fn proof(credentials: &SftpCredentials) -> Result<Proof, Failure> {
    match credentials {
        SftpCredentials::Password(password) => Ok(Proof::Password(secrets::read(password).await?)),
        SftpCredentials::PrivateKey { key, passphrase } => {
            let text = secrets::read(key).await?;
            let passphrase = secrets::read_optional(passphrase.as_ref()).await?;
            let key = decode_secret_key(text.reveal(), passphrase.as_ref().map(Secret::reveal));
            key.map(|key| Proof::Key(Arc::new(key))).map_err(|error| {
                Failure::new(
                    FailureClass::Denied,
                    "connection.private_key",
                    format!("`private_key` cannot be used: {error}; give an OpenSSH, PEM or PuTTY key, and its `passphrase` if it has one"),
                )
            })
        }
    }
}

/// A session with a server.
pub(super) struct Session {
    ssh: Handle<HostCheck>,
    sftp: RawSftpSession,
    extensions: HashMap<String, String>,
    handles: Arc<Semaphore>,
}

impl Session {
    pub async fn open(login: &Login) -> Result<Self, Failure> {
        match tokio::time::timeout(login.timeout, Self::connect(login)).await {
            Ok(session) => session,
            Err(_) => Err(meaning::failure(Action::Probe, "", TIMEOUT, "")),
        }
    }

    async fn connect(login: &Login) -> Result<Self, Failure> {
        let check = HostCheck {
            host: login.host.clone(),
            port: login.port,
            host_keys: login.host_keys.clone(),
        };
        let mut config = client::Config {
            nodelay: true,
            keepalive_interval: Some(login.timeout),
            ..client::Config::default()
        };
        let known = check.known_algorithms()?;
        if !known.is_empty() {
            let offered = config.preferred.key.iter();
            // An RSA key signs by several algorithms.
            let is_rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
            let of_known_kind = |offered: &&Algorithm| {
                known
                    .iter()
                    .any(|known| known == *offered || (is_rsa(known) && is_rsa(offered)))
            };
            config.preferred.key = offered.filter(of_known_kind).cloned().collect();
        }
        let address = (login.host.as_str(), login.port);
        let mut ssh = client::connect(Arc::new(config), address, check)
            .await
            .map_err(no_connection)?;
        authenticate(&mut ssh, login).await?;
        let channel = ssh.channel_open_session().await.map_err(cut)?;
        channel.request_subsystem(true, "sftp").await.map_err(cut)?;
        let sftp = RawSftpSession::new(channel.into_stream());
        sftp.set_timeout(login.timeout.as_secs().max(1));
        let version = sftp
            .init()
            .await
            .map_err(|error| error::failure(Action::Probe, "", &error))?;
        Ok(Self {
            ssh,
            sftp,
            extensions: version.extensions,
            handles: Arc::new(Semaphore::new(HANDLES_MAX)),
        })
    }

    pub fn is_closed(&self) -> bool {
        self.ssh.is_closed()
    }

    pub fn sftp(&self) -> &RawSftpSession {
        &self.sftp
    }

    pub fn can_sync(&self) -> bool {
        self.extensions.contains_key(FSYNC)
    }

    pub async fn open_file(self: &Arc<Self>, path: &str, flags: OpenFlags) -> Result<OpenFile, Error> {
        let permit = self.permit().await?;
        let handle = self.sftp.open(path, flags, FileAttributes::empty()).await?.handle;
        Ok(OpenFile {
            session: Arc::clone(self),
            handle: Some(handle),
            _permit: permit,
        })
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        let permit = Arc::clone(&self.handles).acquire_owned().await;
        permit.map_err(|error| Error::UnexpectedBehavior(error.to_string()))
    }

    /// What has this path, links followed.
    pub async fn find(&self, action: Action, name: &str, path: &str) -> Result<Option<FileAttributes>, Failure> {
        match self.sftp.stat(path).await {
            Ok(found) => Ok(Some(found.attrs)),
            Err(error) if error::is_absent(&error) => Ok(None),
            // What lies below a file has no code of its own.
            Err(error) if error::is_unspecific(&error) && self.lies_below_file(path).await => Ok(None),
            Err(error) => Err(error::failure(action, name, &error)),
        }
    }

    pub async fn lies_below_file(&self, path: &str) -> bool {
        for (end, _) in path.rmatch_indices('/').filter(|(end, _)| *end > 0) {
            match self.sftp.stat(&path[..end]).await {
                Ok(found) => return !found.attrs.is_dir(),
                Err(_) => continue,
            }
        }
        false
    }

    /// The entries of a folder; `None` where there is no such folder.
    pub async fn read_folder(&self, folder: &str, path: &str) -> Result<Option<Vec<File>>, Failure> {
        let failed = |error: Error| error::failure(Action::List, folder, &error);
        let _permit = self.permit().await.map_err(failed)?;
        let handle = match self.sftp.opendir(path).await {
            Ok(handle) => handle.handle,
            Err(error) if error::is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut files = Vec::new();
        let end = loop {
            match self.sftp.readdir(&handle).await {
                Ok(more) => files.extend(more.files),
                Err(error) if error::is_end(&error) => break Ok(Some(files)),
                Err(error) => break Err(failed(error)),
            }
        };
        // Nothing was written: what the server says to this changes nothing.
        let _ = self.sftp.close(handle).await;
        end
    }

    /// Makes a folder and those that it lies in.
    pub async fn make_folders(&self, path: &str) -> Result<(), Failure> {
        let failed = |error: Error| error::failure(Action::Write, path, &error);
        if self
            .find(Action::Write, path, path)
            .await?
            .is_some_and(|found| found.is_dir())
        {
            return Ok(());
        }
        let ends = path.match_indices('/').map(|(end, _)| end).filter(|end| *end > 0);
        for end in ends.chain([path.len()]) {
            let folder = &path[..end];
            if let Err(error) = self.sftp.mkdir(folder, FileAttributes::empty()).await {
                // It is there, be it by another's hand.
                let found = self.sftp.stat(folder).await;
                if !found.is_ok_and(|found| found.attrs.is_dir()) {
                    return Err(failed(error));
                }
            }
        }
        Ok(())
    }

    pub async fn remove(&self, action: Action, name: &str, path: &str) -> Result<(), Failure> {
        match self.sftp.remove(path).await {
            Ok(_) => Ok(()),
            Err(error) if error::is_absent(&error) => Ok(()),
            Err(error) => Err(error::failure(action, name, &error)),
        }
    }

    /// Renames, and replaces what has the name. `None` where the server cannot do that in one step.
    pub async fn replace(&self, from: &str, to: &str) -> Option<Result<(), Error>> {
        if !self.extensions.contains_key(POSIX_RENAME) {
            return None;
        }
        let mut data = Vec::new();
        for path in [from, to] {
            data.extend_from_slice(&u32::try_from(path.len()).ok()?.to_be_bytes());
            data.extend_from_slice(path.as_bytes());
        }
        Some(match self.sftp.extended(POSIX_RENAME, data).await {
            Ok(Packet::Status(status)) if status.status_code == StatusCode::Ok => Ok(()),
            Ok(Packet::Status(status)) => Err(Error::Status(status)),
            Ok(_) => Err(Error::UnexpectedPacket),
            Err(error) => Err(error),
        })
    }
}

/// A file that is open on the server; dropping it closes it.
pub(super) struct OpenFile {
    pub session: Arc<Session>,
    handle: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl OpenFile {
    pub fn handle(&self) -> String {
        self.handle.clone().unwrap_or_default()
    }

    /// Closes it and hears what the server says to that.
    pub async fn close(mut self) -> Result<(), Error> {
        match self.handle.take() {
            Some(handle) => self.session.sftp.close(handle).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.handle.take(), tokio::runtime::Handle::try_current()) {
            let session = Arc::clone(&self.session);
            runtime.spawn(async move { session.sftp.close(handle).await });
        }
    }
}

async fn authenticate(ssh: &mut Handle<HostCheck>, login: &Login) -> Result<(), Failure> {
    let result = match &login.proof {
        Proof::Key(key) => {
            let hash = ssh.best_supported_rsa_hash().await.map_err(cut)?.flatten();
            let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
            ssh.authenticate_publickey(&login.user, key).await.map_err(cut)?
        }
        Proof::Password(password) => ssh
            .authenticate_password(&login.user, password.reveal())
            .await
            .map_err(cut)?,
    };
    let remaining = match result {
        AuthResult::Success => return Ok(()),
        AuthResult::Failure { remaining_methods, .. } => remaining_methods,
    };
    // Many servers ask for a password in a dialogue of one question.
    if let Proof::Password(password) = &login.proof
        && answer_questions(ssh, &login.user, password).await.map_err(cut)?
    {
        return Ok(());
    }
    let methods: Vec<&'static str> = remaining.iter().map(<&'static str>::from).collect();
    Err(Failure::new(
        FailureClass::Denied,
        "store.denied",
        format!(
            "`{}` does not let `{}` in; check user and key or password (it takes: {})",
            login.host,
            login.user,
            methods.join(", ")
        ),
    ))
}

async fn answer_questions(ssh: &mut Handle<HostCheck>, user: &str, password: &Secret) -> Result<bool, russh::Error> {
    /// A server may ask nothing at first, and then once.
    const ROUNDS_MAX: usize = 3;
    let mut answer = ssh
        .authenticate_keyboard_interactive_start(user, None::<String>)
        .await?;
    for _ in 0..ROUNDS_MAX {
        match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let answers = prompts.iter().map(|_| password.reveal().to_owned()).collect();
                answer = ssh.authenticate_keyboard_interactive_respond(answers).await?;
            }
        }
    }
    Ok(false)
}

fn no_connection(error: ConnectError) -> Failure {
    match error {
        ConnectError::Host(failure) => failure,
        ConnectError::Ssh(error) => cut(error),
    }
}

/// The session could not be begun, or ended while it began.
fn cut(error: russh::Error) -> Failure {
    let meaning = match &error {
        russh::Error::NoCommonAlgo { .. } | russh::Error::RequestDenied | russh::Error::ChannelOpenFailure(_) => {
            REFUSED
        }
        russh::Error::ConnectionTimeout | russh::Error::KeepaliveTimeout => TIMEOUT,
        _ => CONNECTION,
    };
    meaning::failure(Action::Probe, "", meaning, &error.to_string())
}
