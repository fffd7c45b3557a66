//! Which of a host's addresses answers first (RFC 8305, "Happy Eyeballs").

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// How long an attempt may go unanswered before the next one starts beside it: the value that RFC 8305 §5 recommends, and Node.js' own
/// (`autoSelectFamilyAttemptTimeout`). Node.js gives the first attempt up then; here it goes on, and may still win.
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to one of `addresses`: one attempt after another, the next at once when one has failed, or after `delay` beside those that are
/// still unanswered. The first that succeeds wins, the others are closed. Returns its socket and how long it took, or why each failed, in
/// the order in which they were tried.
///
/// Dropping the future closes all attempts.
pub(super) async fn first_to_answer(
    addresses: impl Iterator<Item = SocketAddr>,
    delay: Duration,
) -> Result<(TcpStream, Duration), Vec<(SocketAddr, io::Error)>> {
    let mut waiting = interleaved(addresses).into_iter().enumerate();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        if let Some((number, address)) = waiting.next() {
            attempts.push(async move {
                let began = Instant::now();
                let outcome = TcpStream::connect(address).await;
                (number, address, outcome.map(|socket| (socket, began.elapsed())))
            });
        }
        let next_at = Instant::now() + delay;
        let answered = tokio::select! {
            biased;
            answered = attempts.next() => answered,
            () = sleep_until(next_at), if waiting.len() > 0 => continue,
        };
        match answered {
            Some((_, _, Ok(connected))) => return Ok(connected),
            Some((number, address, Err(error))) => failures.push((number, address, error)),
            None => {
                failures.sort_by_key(|(number, ..)| *number);
                return Err(failures.into_iter().map(|(_, address, error)| (address, error)).collect());
            }
        }
    }
}

/// IPv6 and IPv4 in turns, beginning with the resolver's favourite, each family in the resolver's order (RFC 8305 §4).
fn interleaved(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.peekable();
    let first_is_v6 = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::with_capacity(first.len() + second.len());
    while first.len() + second.len() > 0 {
        ordered.extend(first.next());
        ordered.extend(second.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use socket2::{Domain, Socket, Type};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);
    /// A hang becomes a failure; far from anything these tests wait for.
    const HANG: Duration = Duration::from_secs(20);

    /// An address that answers nothing: its queue of connections is full, so the system drops what else comes (Linux).
    struct BlackHole {
        address: SocketAddr,
        _listener: Socket,
        _queued: std::net::TcpStream,
    }

    impl BlackHole {
        fn new() -> Self {
            let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
            listener.listen(0).unwrap();
            let address = listener.local_addr().unwrap().as_socket().unwrap();
            Self { address, _queued: std::net::TcpStream::connect(address).unwrap(), _listener: listener }
        }
    }

    async fn live() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// Nothing listens there.
    async fn refusing() -> SocketAddr {
        live().await.1
    }

    async fn connect(addresses: &[SocketAddr], delay: Duration) -> Result<SocketAddr, Vec<(SocketAddr, io::ErrorKind)>> {
        let connected = timeout(HANG, first_to_answer(addresses.iter().copied(), delay)).await.expect("it hangs");
        match connected {
            Ok((socket, _)) => Ok(socket.peer_addr().unwrap()),
            Err(failures) => Err(failures.into_iter().map(|(address, error)| (address, error.kind())).collect()),
        }
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_holds_the_next_up_no_longer_than_the_delay() {
        let (holes, (_listener, address)) = ([BlackHole::new(), BlackHole::new()], live().await);
        assert_eq!(connect(&[holes[0].address, holes[1].address, address], Duration::from_millis(20)).await, Ok(address));
        assert_eq!(connect(&[holes[0].address, address], ATTEMPT_DELAY).await, Ok(address));
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hold_the_next_up() {
        let (_listener, address) = live().await;
        let addresses = [refusing().await, refusing().await, address];
        assert_eq!(connect(&addresses, NEVER).await, Ok(address));
        // Nor does one behind an unanswered one.
        let hole = BlackHole::new();
        assert_eq!(connect(&[hole.address, refusing().await, address], Duration::from_millis(20)).await, Ok(address));
    }

    #[tokio::test]
    async fn the_first_address_is_taken_when_it_answers() {
        let ((_first, first), (second, other)) = (live().await, live().await);
        assert_eq!(connect(&[first, other], NEVER).await, Ok(first));
        assert!(second.into_std().unwrap().accept().is_err(), "the other was not asked");
    }

    /// Sockets of this machine that wait for an answer from `address` (Linux).
    fn unanswered(address: SocketAddr) -> usize {
        let remote = format!(":{:04X}", address.port());
        let is_one = |line: &&str| {
            let mut columns = line.split_ascii_whitespace().skip(2);
            columns.next().is_some_and(|column| column.ends_with(&remote)) && columns.next() == Some("02")
        };
        std::fs::read_to_string("/proc/net/tcp").unwrap().lines().filter(is_one).count()
    }

    #[tokio::test]
    async fn attempts_that_lose_and_those_that_are_given_up_are_closed() {
        let (hole, (_listener, address)) = (BlackHole::new(), live().await);
        let attempt = timeout(Duration::from_millis(50), first_to_answer([hole.address].into_iter(), NEVER));
        let observed = async {
            while unanswered(hole.address) == 0 {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::join!(attempt, observed).0.is_err());
        assert_eq!(unanswered(hole.address), 0, "given up");
        let (_socket, _) = first_to_answer([hole.address, address].into_iter(), Duration::from_millis(1)).await.unwrap();
        assert_eq!(unanswered(hole.address), 0, "lost");
    }

    #[tokio::test]
    async fn when_all_fail_each_is_told_in_its_order() {
        let addresses = [refusing().await, refusing().await, refusing().await];
        let refused = addresses.map(|address| (address, io::ErrorKind::ConnectionRefused));
        assert_eq!(connect(&addresses, Duration::ZERO).await, Err(refused.to_vec()));
        assert_eq!(connect(&[], NEVER).await, Err(Vec::new()));
    }

    #[test]
    fn families_take_turns_beginning_with_the_resolvers_favourite() {
        let v4 = |last| SocketAddr::from((Ipv4Addr::new(192, 0, 2, last), 5432));
        let v6 = |last| SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last), 5432));
        let order = |addresses: &[SocketAddr]| interleaved(addresses.iter().copied());
        assert_eq!(order(&[v6(1), v6(2), v6(3), v4(1), v4(2)]), [v6(1), v4(1), v6(2), v4(2), v6(3)]);
        assert_eq!(order(&[v4(1), v4(2), v6(1)]), [v4(1), v6(1), v4(2)]);
        assert_eq!(order(&[v4(1), v4(2)]), [v4(1), v4(2)]);
        assert_eq!(order(&[]), []);
    }
}
