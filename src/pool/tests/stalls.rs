//! What waits on the wire behind what, and what becomes of reads that are stuck there.

use super::*;

/// A pool with both its connections busy, each with `select hold <name>`, where `reads` are known to be quick.
async fn two_busy(reads: &[&str], change: impl FnOnce(&mut PoolConfig)) -> (World, [oneshot::Receiver<Result<Response, Error>>; 2]) {
    let world = World::new(2, change).await;
    for text in ["select hold first", "select hold second"].iter().chain(reads) {
        world.pool.0.latency.note(fingerprint(text), Latency::Quick(1));
    }
    let heads = [world.query("select hold first"), world.query("select hold second")];
    world.server.arrival("select hold first").await;
    world.server.arrival("select hold second").await;
    (world, heads)
}

/// Texts and connections of what has arrived, without those that hold.
fn arrivals(world: &World) -> Vec<(usize, String)> {
    world.server.seen().into_iter().filter(|(_, text)| !text.contains("hold")).collect()
}

#[tokio::test]
async fn nothing_goes_behind_a_write_even_on_the_only_connection() {
    let world = World::new(1, |_| {}).await;
    let write = world.query("update hold write");
    world.server.arrival("update hold write").await;
    let reads: Vec<_> = (0..5).map(|_| world.query("select quick")).collect();
    assert_eq!(world.counts(), (1, 0, 5), "they are in the queue, not on the wire");
    world.server.let_go("write");
    assert_eq!(outcome(write).await, Ok(()));
    for read in reads {
        assert_eq!(outcome(read).await, Ok(()));
    }
}

#[tokio::test]
async fn a_write_goes_behind_nothing_and_what_comes_after_it_does_not_overtake_it_on_the_only_connection() {
    let world = World::new(1, |_| {}).await;
    let first = world.query("select hold first");
    world.server.arrival("select hold first").await;
    let behind = world.query("select behind");
    assert_eq!(world.counts(), (1, 0, 0), "a read shares the connection");
    let write = world.query("update it");
    let after = world.query("select after");
    assert_eq!(world.counts(), (1, 0, 2));
    world.server.let_go("first");
    for query in [first, behind, write, after] {
        assert_eq!(outcome(query).await, Ok(()));
    }
    let texts: Vec<_> = world.server.seen().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["select hold first", "select behind", "update it", "select after"]);
}

#[tokio::test]
async fn writes_share_a_connection_where_that_is_wanted() {
    for (is_proxied, waiting) in [(false, 0), (true, 2)] {
        let world = World::new(1, |config| config.pipeline_writes = true).await;
        if is_proxied {
            world.server.tell_other_process_ids();
        }
        // The connection asks behind it where it leads to.
        assert_eq!(outcome(world.query("select quick")).await, Ok(()));
        assert_eq!(outcome(world.query("select quick")).await, Ok(()));
        let first = world.query("update hold first");
        world.server.arrival("update hold first").await;
        let others = [world.query("update it"), world.query("select it")];
        assert_eq!(world.counts(), (1, 0, waiting), "only a connection that is proven to lead to one server process is shared");
        world.server.let_go("first");
        for query in others.into_iter().chain([first]) {
            assert_eq!(outcome(query).await, Ok(()));
        }
    }
}

#[tokio::test]
async fn reads_behind_one_that_does_not_end_are_answered_elsewhere_once() {
    let (world, [first, second]) = two_busy(&["select quick"], |_| {}).await;
    let reads: Vec<_> = (0..6).map(|_| world.query("select quick")).collect();
    assert_eq!(world.counts(), (2, 0, 0), "all are on the wire");
    world.server.let_go("second");
    assert_eq!(outcome(second).await, Ok(()));
    for read in reads {
        assert_eq!(outcome(read).await, Ok(()), "half of them are behind the first");
    }
    let again: Vec<_> = arrivals(&world).into_iter().map(|(_, text)| text).filter(|text| text != "select quick").collect();
    assert_eq!(again, ["begin read only", "commit"].repeat(3));
    world.until(|world| world.counts() == (2, 1, 0)).await;
    world.server.let_go("first");
    assert_eq!(outcome(first).await, Ok(()));
    world.until(|world| world.counts() == (2, 2, 0)).await;
}

#[tokio::test]
async fn a_stuck_read_gets_a_new_connection_when_there_is_room_for_one() {
    let (world, [first, second]) = two_busy(&["select quick"], |config| config.max_uses = Some(3)).await;
    let reads: Vec<_> = (0..4).map(|_| world.query("select quick")).collect();
    world.until(|world| world.counts() == (2, 0, 2 + 2)).await;
    // It has been used three times: it is closed, and there is no other but the one that is stuck.
    world.server.let_go("second");
    for read in reads {
        assert_eq!(outcome(read).await, Ok(()));
    }
    assert!(world.server.opened() > 2);
    world.server.let_go("first");
    for query in [first, second] {
        assert_eq!(outcome(query).await, Ok(()));
    }
}

#[tokio::test]
async fn a_write_that_the_text_does_not_show_happens_once() {
    let (world, [first, second]) = two_busy(&["select log"], |_| {}).await;
    let reads: Vec<_> = (0..2).map(|_| world.query("select log")).collect();
    world.server.let_go("second");
    assert_eq!(outcome(second).await, Ok(()));
    // The hedged run of the one behind the first: refused.
    world.server.arrival("commit").await;
    world.until(|world| world.counts() == (2, 1, 0)).await;
    world.server.let_go("first");
    for query in reads.into_iter().chain([first]) {
        assert_eq!(outcome(query).await, Ok(()));
    }
    let writes = arrivals(&world).into_iter().filter(|(_, text)| text == "select log").count();
    assert_eq!(writes, 3, "two that wrote, one that was refused");
}

#[tokio::test]
async fn the_error_of_a_stuck_read_is_told_without_waiting() {
    for close_after_error in [false, true] {
        let (world, [first, second]) = two_busy(&["select fail"], |config| config.close_after_error = close_after_error).await;
        let reads: Vec<_> = (0..2).map(|_| world.query("select fail")).collect();
        world.server.let_go("second");
        assert_eq!(outcome(second).await, Ok(()));
        for read in reads {
            assert_eq!(outcome(read).await, Err("22012".to_owned()));
        }
        world.server.let_go("first");
        assert_eq!(outcome(first).await, Ok(()));
        let kept = usize::from(!close_after_error);
        world.until(|world| world.counts() == (2 * kept, 2 * kept, 0)).await;
    }
}

#[tokio::test]
async fn with_every_connection_stuck_reads_wait_and_nothing_is_left_over() {
    let (world, [first, second]) = two_busy(&["select quick"], |_| {}).await;
    let reads: Vec<_> = (0..4).map(|_| world.query("select quick")).collect();
    // Asked again, in the queue: there is no connection for them.
    world.until(|world| world.counts() == (2, 0, 4)).await;
    world.server.let_go("first");
    world.server.let_go("second");
    for query in reads.into_iter().chain([first, second]) {
        assert_eq!(outcome(query).await, Ok(()));
    }
    world.until(|world| world.counts() == (2, 2, 0)).await;
    assert_eq!(outcome(world.query("update it")).await, Ok(()));
}

#[tokio::test]
async fn end_waits_for_what_is_stuck_and_answers_it() {
    let (world, [first, second]) = two_busy(&["select quick"], |_| {}).await;
    let reads: Vec<_> = (0..4).map(|_| world.query("select quick")).collect();
    world.until(|world| world.counts() == (2, 0, 4)).await;
    let mut ended = world.end();
    world.server.let_go("second");
    for read in reads {
        assert_eq!(outcome(read).await, Ok(()));
    }
    assert_eq!(outcome(second).await, Ok(()));
    assert!(ended.try_recv().is_err(), "the first is still running");
    world.server.let_go("first");
    assert_eq!(outcome(first).await, Ok(()));
    within(ended).await.unwrap();
    world.until(|world| world.server.open() == 0).await;
}

#[tokio::test]
async fn a_connection_lost_under_a_hedged_read_is_no_error_of_the_read() {
    let (world, [first, second]) = two_busy(&["select quick"], |_| {}).await;
    let reads: Vec<_> = (0..2).map(|_| world.query("select quick")).collect();
    world.until(|world| world.counts() == (2, 0, 2)).await;
    world.server.end_next_transaction();
    world.server.let_go("second");
    for query in reads.into_iter().chain([second]) {
        assert_eq!(outcome(query).await, Ok(()));
    }
    assert_eq!(world.server.opened(), 3);
    world.server.let_go("first");
    assert_eq!(outcome(first).await, Ok(()));
}

#[tokio::test]
async fn a_checkout_is_served_while_writes_are_stuck_and_reads_keep_coming() {
    let world = World::new(4, |_| {}).await;
    world.pool.0.latency.note(fingerprint("select 1"), Latency::Quick(1));
    let stuck = [world.query("update hold a"), world.query("update hold b")];
    for text in ["update hold a", "update hold b"] {
        world.server.arrival(text).await;
    }
    let flood: Vec<_> = (0..8)
        .map(|_| {
            let pool = world.pool.clone();
            tokio::spawn(async move {
                loop {
                    let (sender, receiver) = oneshot::channel();
                    pool.query(Query::simple("select 1"), false, Box::new(move |result| _ = sender.send(result)));
                    receiver.await.unwrap().unwrap();
                }
            })
        })
        .collect();
    for _ in 0..20 {
        assert!(world.checkout().await.release(false));
    }
    flood.into_iter().for_each(|caller| caller.abort());
    world.server.let_go("a");
    world.server.let_go("b");
    for query in stuck {
        assert_eq!(outcome(query).await, Ok(()));
    }
}

/// A read behind a query at which the connection ends, without a word that proves that the read did not run.
async fn behind_a_lost_one(text: &str) -> (World, Result<(), String>) {
    let world = World::new(1, |_| {}).await;
    for text in ["select hold first", "select crash"] {
        world.pool.0.latency.note(fingerprint(text), Latency::Quick(1));
    }
    let first = world.query("select hold first");
    world.server.arrival("select hold first").await;
    let lost = world.query("select crash");
    let behind = world.query(text);
    assert_eq!(world.counts(), (1, 0, 0), "all three are on the wire");
    world.server.let_go("first");
    assert_eq!(outcome(first).await, Ok(()));
    assert!(outcome(lost).await.is_err());
    let behind = outcome(behind).await;
    (world, behind)
}

#[tokio::test]
async fn a_read_that_was_lost_behind_another_runs_again_where_it_cannot_write() {
    let (world, outcome) = behind_a_lost_one("select quick").await;
    assert_eq!(outcome, Ok(()));
    let again: Vec<_> = arrivals(&world).into_iter().filter(|(connection, _)| *connection == 2).map(|(_, text)| text).collect();
    assert_eq!(again, ["begin read only", "select quick", "commit"]);
}

#[tokio::test]
async fn a_lost_read_that_turns_out_to_write_is_told_as_lost() {
    let (world, outcome) = behind_a_lost_one("select log").await;
    assert!(outcome.is_err_and(|error| error == "08P01"), "not the refusal of the second run");
    assert!(arrivals(&world).iter().any(|(connection, text)| *connection == 2 && text == "select log"));
}
