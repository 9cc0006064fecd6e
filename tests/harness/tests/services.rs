//! The gateway before moto: the SDK gets through with a good key and not without, and faults come as ordered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

#[path = "support/aws.rs"]
mod aws;
mod support;

use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_ssm::error::ProvideErrorMetadata;
use causeway_harness::gateway::Fault;
use causeway_harness::moto::Moto;
use causeway_harness::sts::AccessKey;
use causeway_harness::world::{Settings, World};

fn world() -> (World, tempfile::TempDir) {
    let task = support::evaluating_task();
    let settings =
        Settings { moto: Some(Moto::shared()), task: Some(task.path().to_owned()), ..Settings::default() };
    (World::of(settings), task)
}

#[test]
fn parameters_are_seeded_and_read_through_the_gateway() {
    let (world, _task) = world();
    world.seed().put_parameter("/shop/token", "SecureString", "é\n##vso[");
    let ssm = aws_sdk_ssm::Client::new(&aws::config(&world, &world.user_key));
    let call = ssm.get_parameter().name("/shop/token").with_decryption(true);
    let answer = aws::block_on(call.send()).unwrap();
    assert_eq!(answer.parameter().unwrap().value(), Some("é\n##vso["));
    let calls = world.gateway.calls_of("ssm", "GetParameter");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].access_key.as_deref(), Some(world.user_key.id.as_str()));
    assert_eq!((calls[0].region.as_str(), calls[0].status), ("eu-west-1", 200));
    assert!(calls[0].user_agent.contains("aws-sdk-rust"));
    let (other, _other_task) = self::world();
    assert_eq!(other.seed().parameter("/shop/token"), None, "accounts are not kept apart");
}

#[test]
fn objects_of_any_name_go_through() {
    let (world, _task) = world();
    let bucket = world.bucket("files");
    let s3 = aws_sdk_s3::Client::new(&aws::config(&world, &world.user_key));
    let large = vec![7; 3 << 20];
    for key in ["plain.txt", "a b/c#d+e%20f;]=é.txt", "large"] {
        let body = if key == "large" { large.clone() } else { key.as_bytes().to_vec() };
        let call =
            s3.put_object().bucket(&bucket).key(key).content_type("text/x-test").body(ByteStream::from(body));
        aws::block_on(call.send()).unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }
    let seed = world.seed();
    assert_eq!(seed.keys(&bucket), ["a b/c#d+e%20f;]=é.txt", "large", "plain.txt"]);
    assert_eq!(seed.object(&bucket, "large", &[]).unwrap().content, large);
    let object = seed.object(&bucket, "a b/c#d+e%20f;]=é.txt", &[]).unwrap();
    assert_eq!(
        (object.content_type(), object.content.as_slice()),
        ("text/x-test", "a b/c#d+e%20f;]=é.txt".as_bytes())
    );
    assert_eq!(seed.object(&bucket, "nosuch", &[]), None);
    let listed = aws::block_on(s3.list_objects_v2().bucket(&bucket).prefix("a b/").send()).unwrap();
    assert_eq!(listed.key_count(), Some(1));
}

#[test]
fn a_key_that_is_not_good_gets_nowhere() {
    let (world, _task) = world();
    world.seed().put_parameter("a", "String", "b");
    let good = world.user_key.clone();
    let wrong_secret = AccessKey { secret: "x".repeat(40), ..good.clone() };
    let unknown = AccessKey { id: "ASIAUNKNOWN000000000".into(), ..good.clone() };
    for (key, code) in [(&wrong_secret, "SignatureDoesNotMatch"), (&unknown, "InvalidClientTokenId")] {
        let ssm = aws_sdk_ssm::Client::new(&aws::config(&world, key));
        let error = aws::block_on(ssm.get_parameter().name("a").send()).unwrap_err();
        assert_eq!(error.as_service_error().unwrap().code(), Some(code));
        let s3 = aws_sdk_s3::Client::new(&aws::config(&world, key));
        let error = aws::block_on(s3.list_buckets().send()).unwrap_err();
        assert_eq!(error.as_service_error().unwrap().code(), Some(code));
    }
    world.iam.expire(&good.id);
    let ssm = aws_sdk_ssm::Client::new(&aws::config(&world, &good));
    let error = aws::block_on(ssm.get_parameter().name("a").send()).unwrap_err();
    assert_eq!(error.as_service_error().unwrap().code(), Some("ExpiredToken"));
}

#[test]
fn faults_come_as_often_as_ordered() {
    let (world, _task) = world();
    world.seed().put_parameter("a", "String", "b");
    world.gateway.fail("ssm", "GetParameter", Fault::throttling().times(2));
    world.gateway.fail("s3", "GET /*", Fault::error(503, "SlowDown", "Please reduce your request rate."));
    world.gateway.fail("ssm", "GetParameter", Fault::slow(Duration::from_millis(300)));
    let ssm = aws_sdk_ssm::Client::new(&aws::config(&world, &world.user_key));
    let get = || {
        let answer = aws::block_on(ssm.get_parameter().name("a").send());
        let code = |error: &dyn ProvideErrorMetadata| error.code().map(str::to_owned);
        answer.map(|_| ()).map_err(|error| code(error.as_service_error().unwrap()))
    };
    for _ in 0..2 {
        assert_eq!(get(), Err(Some("ThrottlingException".into())));
    }
    let started = Instant::now();
    assert_eq!(get(), Ok(()));
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(get(), Ok(()));
    let s3 = aws_sdk_s3::Client::new(&aws::config(&world, &world.user_key));
    let error = aws::block_on(s3.list_buckets().send()).unwrap_err();
    assert_eq!(error.as_service_error().unwrap().code(), Some("SlowDown"));
    assert!(aws::block_on(s3.list_buckets().send()).is_ok());
    let statuses: Vec<u16> = world.gateway.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [400, 400, 200, 200, 503, 200]);
}
