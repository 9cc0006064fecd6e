//! Killed at every call that changes something, before it arrives and after its effect, and run again.

use std::time::{Duration, Instant};

use causeway_harness::azure_devops::Moment;
use causeway_harness::world::World;

use super::person::{Person, text};

/// Starts a command that is killed at the changing call of this number; whether it got so far.
fn kill_at(world: &World, person: &Person<'_>, arguments: &[&str], at: usize, moment: Moment) -> bool {
    let tripwire = world.azure_devops.tripwire();
    tripwire.arm(at, moment);
    let mut child = person.start(arguments);
    let deadline = Instant::now() + Duration::from_secs(60);
    let tripped = loop {
        if tripwire.is_tripped() {
            break true;
        }
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        assert!(Instant::now() < deadline, "neither stopped nor ended");
        std::thread::sleep(Duration::from_millis(5));
    };
    if tripped && moment == Moment::After {
        // The call goes on behind the one who is killed.
        std::thread::sleep(Duration::from_millis(150));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    tripwire.disarm();
    tripped
}

#[test]
fn apply_converges_wherever_it_was_killed() {
    for moment in [Moment::Before, Moment::After] {
        let mut at = 0;
        loop {
            let world = World::with_aws();
            let person = Person::new(&world);
            person.file();
            person.managed_policy(&person.account);
            person.replace(
                "permissions:\n",
                "permissions:\n      - managedPolicy: arn:aws:iam::{accountId}:policy/common\n",
            );
            let tripped = kill_at(&world, &person, &["apply", "--yes"], at, moment);
            let output = person.run(&["apply", "--yes"]);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{moment:?} {at}: {}{}",
                text(&output.stdout),
                text(&output.stderr)
            );
            assert_eq!(person.run(&["plan", "--exit-code"]).status.code(), Some(0), "{moment:?} {at}");
            assert_eq!(person.json(&["check"])["findings"], serde_json::json!([]), "{moment:?} {at}");
            let ours = world.azure_devops.endpoints().len();
            assert_eq!(ours, 1, "{moment:?} {at}: one connection, not two");
            if !tripped {
                assert!(at >= 7, "only {at} changing calls were tried");
                break;
            }
            at += 1;
        }
    }
}

#[test]
fn remove_converges_wherever_it_was_killed() {
    let mut at = 0;
    loop {
        let world = World::with_aws();
        let person = Person::new(&world);
        person.file();
        assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
        let moment = if at % 2 == 0 { Moment::After } else { Moment::Before };
        let tripped = kill_at(&world, &person, &["remove", "--yes"], at, moment);
        let output = person.run(&["remove", "--yes"]);
        assert_eq!(output.status.code(), Some(0), "{at}: {}{}", text(&output.stdout), text(&output.stderr));
        assert!(world.azure_devops.endpoints().is_empty(), "{at}");
        assert!(!person.iam("ListRoles", &[]).contains("<RoleName>"), "{at}");
        assert!(!person.iam("ListOpenIDConnectProviders", &[]).contains("<Arn>"), "{at}");
        if !tripped {
            assert!(at >= 5, "only {at} changing calls were tried");
            break;
        }
        at += 1;
    }
}
