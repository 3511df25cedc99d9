//! What goes wrong with aimock is one typed fault, and never half a reply.

use super::server::aimock;
use super::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stoa_models::fault::FaultKind;

#[tokio::test]
async fn a_refusal_is_a_fault_of_its_kind() {
    use FaultKind::*;
    let Some(server) = aimock(&[]) else { return };
    for dialect in Dialect::ALL {
        for (what, kind, status, retry) in [
            ("400", Invalid, 400, false),
            ("too long", TooBig, 400, false),
            ("401", Key, 401, false),
            ("403", Forbidden, 403, false),
            ("404", Unknown, 404, false),
            ("429", RateLimited, 429, true),
            ("500", Server, 500, true),
            ("503", Overloaded, 503, true),
            ("529", Overloaded, 529, true),
            // Nothing is scripted for it.
            ("418", Unknown, 404, false),
        ] {
            // One that has been told to wait is not asked again.
            let fault = fault(&provider(dialect, &server), &format!("fail as {what}")).await;
            assert_eq!(
                (fault.kind, fault.status, fault.may_retry()),
                (kind, Some(status), retry),
                "{dialect:?} {fault}"
            );
            let wait = (what == "429").then(|| Duration::from_secs(7));
            assert_eq!(fault.wait, wait, "{dialect:?} {fault}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_its_midst_is_a_cut_whatever_was_heard() {
    let Some(server) = aimock(&[]) else { return };
    for dialect in Dialect::ALL {
        for what in ["cut in the midst", "hang up in the midst"] {
            let (asked, heard) = asked(&provider(dialect, &server), &request(what)).await;
            let fault = asked.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Cut, "{dialect:?} {what}: {fault}");
            assert!(fault.may_retry());
            assert!(!heard.is_empty(), "{dialect:?} {what}: it came after something was said");
        }
    }
}

/// What the server does wrong, and what that is here.
const CHAOS: [(&str, FaultKind); 4] = [
    ("drop", FaultKind::Server),
    // It ends where a value has begun.
    ("malformed", FaultKind::Cut),
    ("disconnect", FaultKind::Network),
    ("ratelimit", FaultKind::RateLimited),
];

#[tokio::test]
async fn where_nothing_goes_well_each_request_is_one_fault_in_time() {
    for (what, kind) in CHAOS {
        let Some(server) = aimock(&[&format!("--chaos-{what}"), "1"]) else { return };
        for dialect in Dialect::ALL {
            let began = Instant::now();
            let (asked, heard) = asked(&provider(dialect, &server), &request("say it")).await;
            let fault = asked.unwrap_err();
            assert_eq!(fault.kind, kind, "{dialect:?} {what}: {fault}");
            assert!(fault.may_retry(), "{dialect:?} {what}: {fault}");
            assert_eq!(heard, [], "{dialect:?} {what}");
            assert!(began.elapsed() < Duration::from_secs(3), "{dialect:?} {what}");
        }
    }
}

#[tokio::test]
async fn where_some_goes_wrong_each_request_is_all_of_the_reply_or_one_fault() {
    for (what, kind) in CHAOS.into_iter().filter(|it| it.0 != "ratelimit") {
        let options = [&format!("--chaos-{what}"), "0.3", "-c", "7"];
        let Some(server) = aimock(&options) else { return };
        let asks = Dialect::ALL.into_iter().flat_map(|dialect| {
            let provider = Arc::new(provider(dialect, &server));
            (0..15).map(move |_| {
                let provider = provider.clone();
                let ask = async move { asked(&provider, &request("say it")).await.0 };
                (dialect, tokio::spawn(ask))
            })
        });
        let (mut replies, mut faults) = (0, 0);
        for (dialect, ask) in asks.collect::<Vec<_>>() {
            match ask.await.unwrap() {
                Ok(reply) => {
                    assert_eq!(told(reply), text_reply(dialect), "{what}");
                    replies += 1;
                }
                Err(fault) => {
                    assert_eq!(fault.kind, kind, "{dialect:?} {what}: {fault}");
                    faults += 1;
                }
            }
        }
        // That one of them is none has a chance of one in a thousand million.
        assert!(replies > 0 && faults > 0, "{what}: {replies} replies, {faults} faults");
        assert_eq!(replies + faults, 60);
    }
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_not_waited_for() {
    let Some(server) = aimock(&["--chaos-latency", "20000"]) else { return };
    for dialect in Dialect::ALL {
        let waits = ProviderWaits { first_ms: 300, ..WAITS };
        let provider =
            Provider::new(ProviderConfig { waits, ..config(dialect, &server.url) }).unwrap();
        let began = Instant::now();
        let fault = fault(&provider, "say it").await;
        assert_eq!(fault.kind, FaultKind::Silent, "{dialect:?} {fault}");
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(300), "{dialect:?} {took:?}");
        assert!(took < Duration::from_secs(3), "{dialect:?} {took:?}");
    }
}
