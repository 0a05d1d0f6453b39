//! Free ports, reserved for this process.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// Below the range from which the system takes ports for outgoing connections (32768 and up on Linux).
const FIRST: u16 = 12_000;
const COUNT: u16 = 19_000;

/// The locks on this process's ports; they end with it, however it ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port on loopback that nobody listens on and that stays this process's as long as it lives: no outgoing connection and no
/// other test takes it while what listens on it is down, so it can be started again where it was.
pub fn free_port() -> u16 {
    let folder = locks();
    fs::create_dir_all(&folder).expect("a folder for the locks of ports");
    let start = rand::random_range(0..COUNT);
    for step in 0..COUNT {
        let port = FIRST + (start + step) % COUNT;
        let lock = File::options().create(true).append(true).open(folder.join(port.to_string()));
        let Ok(lock) = lock.and_then(|lock| Ok(lock.try_lock().map(|()| lock)?)) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            HELD.lock().unwrap_or_else(PoisonError::into_inner).push(lock);
            return port;
        }
    }
    panic!("no port is free");
}

/// The address of a [`free_port`].
pub fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

fn locks() -> PathBuf {
    let user = fs::metadata("/proc/self").expect("this process").uid();
    std::env::temp_dir().join(format!("insights-ports-{user}"))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs::File};

    use super::{free_port, locks};

    #[test]
    fn a_port_is_given_once() {
        let ports: HashSet<u16> = (0..200).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 200);
    }

    #[test]
    fn a_port_is_kept_though_nobody_listens_on_it() {
        let lock = File::open(locks().join(free_port().to_string())).unwrap();
        lock.try_lock().unwrap_err();
    }
}
