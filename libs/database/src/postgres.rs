//! Connections to PostgreSQL: one server, or the one of several that takes writes.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{DbErr, RuntimeErr};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{sync::oneshot, time::timeout};

use crate::{Error, Options, Result};

/// Following the server that takes writes ends when this goes.
pub(crate) type Following = oneshot::Sender<()>;

/// How often the server in use is asked whether it still takes writes, where there are others.
const ASKED: Duration = Duration::from_secs(1);
/// How long one server may take to answer, where there are others.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);
const STANDBY: &str = "SELECT pg_is_in_recovery()";

/// A pool of connections to the server that takes writes.
pub(crate) async fn open(url: &str, options: &Options) -> Result<(PgPool, Option<Following>)> {
    let servers = servers(url, options)?;
    let first = primary(&servers, options.acquire_timeout).await?;
    let moved = Arc::new(Mutex::new(Instant::now()));
    let mut pool = PgPoolOptions::new().max_connections(options.connections).acquire_timeout(options.acquire_timeout);
    if servers.len() == 1 {
        return Ok((pool.connect_lazy_with(servers[first].clone()), None));
    }
    // Connections to a server that was left are not used again, alive as they may be.
    let since = Arc::clone(&moved);
    pool = pool.before_acquire(move |_, connection| {
        let stays = connection.age <= since.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        Box::pin(async move { Ok(stays) })
    });
    let pool = pool.connect_lazy_with(servers[first].clone());
    let (following, ended) = oneshot::channel();
    tokio::spawn(follow(pool.clone(), servers, first, moved, ended));
    Ok((pool, Some(following)))
}

/// Every server of an address, in order.
fn servers(url: &str, options: &Options) -> Result<Vec<PgConnectOptions>> {
    let idle = options.idle_transaction.as_millis().to_string();
    each_host(url)
        .iter()
        .map(|url| {
            let server = PgConnectOptions::from_str(url).map_err(|error| Error::Address(error.to_string()))?;
            let server = server.application_name("insights");
            if options.pooler {
                // Poolers know few of these, and what is set for one connection would be another's a moment later.
                return Ok(server.extra_float_digits(None));
            }
            Ok(server.options([
                ("timezone", "UTC"),
                // A host that vanishes lets go of the rows it held within half a minute.
                ("tcp_keepalives_idle", "10"),
                ("tcp_keepalives_interval", "5"),
                ("tcp_keepalives_count", "4"),
                ("tcp_user_timeout", "30000"),
                ("idle_in_transaction_session_timeout", &idle),
                // Every statement has an index that fits. What the planner thinks of a table's size, which it may have learned when
                // the table was small, is no reason to read all of it, nor to compile a statement that takes a millisecond.
                ("enable_seqscan", "off"),
                ("jit", "off"),
            ]))
        })
        .collect()
}

/// An address per host, where several stand with commas.
fn each_host(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    hosts.split(',').map(|host| format!("{scheme}://{user}{host}{tail}")).collect()
}

/// The number of the first server that takes writes (of one alone: that answers), within some time.
async fn primary(servers: &[PgConnectOptions], patience: Duration) -> Result<usize> {
    let start = Instant::now();
    let each = if servers.len() == 1 { patience } else { PATIENCE };
    loop {
        let mut said = Vec::new();
        for (number, server) in servers.iter().enumerate() {
            match timeout(each, standby(server)).await {
                Ok(Ok(false)) => return Ok(number),
                // What one server alone says is for those who write; the pool may serve readers of it.
                Ok(Ok(true)) if servers.len() == 1 => return Ok(number),
                Ok(Ok(true)) => said.push(format!("{}: only follows another server", name(server))),
                Ok(Err(error)) if passes(&error) => said.push(format!("{}: {error}", name(server))),
                Ok(Err(error)) => return Err(refused(server, error)),
                Err(_) => said.push(format!("{}: no answer", name(server))),
            }
        }
        if start.elapsed() + PAUSE >= patience {
            let text = format!("PostgreSQL cannot be reached at {}", said.join("; "));
            return Err(Error::Unavailable(DbErr::Conn(RuntimeErr::Internal(text))));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn standby(server: &PgConnectOptions) -> sqlx::Result<bool> {
    let mut connection = PgConnection::connect_with(server).await?;
    // Unprepared: a pooler may give the next message to another connection.
    let row = sqlx::Executor::fetch_one(&mut connection, STANDBY).await?;
    let text: String = sqlx::Row::try_get_unchecked(&row, 0)?;
    connection.close().await?;
    Ok(text == "t")
}

/// Whether another try may succeed.
fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // Starting, stopping, no connection left.
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P01" | "57P03" | "53300"))
        }
        _ => false,
    }
}

fn refused(server: &PgConnectOptions, error: sqlx::Error) -> Error {
    let sqlx::Error::Tls(cause) = &error else { return error.into() };
    let text = format!(
        "TLS with PostgreSQL at {} failed: {cause}. `?sslmode=verify-full&sslrootcert=FILE` in the address names the authority to \
         believe; `?sslmode=disable` asks for plaintext, where something else encrypts",
        name(server)
    );
    Error::Failed(DbErr::Conn(RuntimeErr::Internal(text)))
}

/// What a server is called in messages.
fn name(server: &PgConnectOptions) -> String {
    match server.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", server.get_host(), server.get_port()),
    }
}

/// Moves the pool to another server when the one in use takes no writes any more and another does.
async fn follow(
    pool: PgPool,
    servers: Vec<PgConnectOptions>,
    mut current: usize,
    moved: Arc<Mutex<Instant>>,
    mut ended: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            _ = &mut ended => return,
            () = tokio::time::sleep(ASKED) => {}
        }
        // Not through the pool: when all its connections are busy, nothing is wrong with the server.
        if let Ok(Ok(false)) = timeout(PATIENCE, standby(&servers[current])).await {
            continue;
        }
        let Ok(found) = primary(&servers, Duration::ZERO).await else { continue };
        if found != current {
            tracing::warn!(
                from = name(&servers[current]),
                to = name(&servers[found]),
                "another PostgreSQL takes writes now"
            );
            pool.set_connect_options(servers[found].clone());
            *moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            current = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_are_one_address_each() {
        assert_eq!(each_host("postgres://u@h/d"), ["postgres://u@h/d"]);
        assert_eq!(
            each_host("postgres://u:p@h1:1,h2,[::1]:3/d?sslmode=require"),
            ["h1:1", "h2", "[::1]:3"].map(|host| format!("postgres://u:p@{host}/d?sslmode=require"))
        );
        assert_eq!(each_host("postgres:///d?host=/run/postgresql"), ["postgres:///d?host=/run/postgresql"]);
    }
}
