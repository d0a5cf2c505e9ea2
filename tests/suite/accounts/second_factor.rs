//! Second factors that accounts have to have.

use auth_core::account::AccountChange;
use auth_core::api_key::{KeyHasher, Peppers};
use auth_core::issue::{
    AccountError, Login, Rotation, Seal, SecondFactorProof, SecondFactorRule, SecondFactors, TotpSecret,
};
use auth_core::{LoginFault, Names, Secret};

use super::service::{PASSWORD, Service};

const EMAIL: &str = "ada@example.com";

fn service(rule: SecondFactorRule) -> Service {
    Service::with(Rotation::default(), |parts, _| {
        let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
        let seal = Seal::new(&Secret::new(vec![9; 32])).unwrap();
        parts.second_factors = Some(SecondFactors { service: "Example".into(), seal, peppers });
        parts.second_factor_rule = rule;
    })
}

fn by_password(password: &str) -> Login {
    Login::new(EMAIL, Secret::from(password))
}

async fn refusal(service: &Service, login: Login) -> Result<(), AccountError> {
    service.accounts.log_in(login, service.now()).await.map(|_| ())
}

fn fault<T>(fault: LoginFault) -> Result<T, AccountError> {
    Err(AccountError::Login(fault))
}

/// Enrols and confirms as whoever knows the password, and hands over a recovery code.
async fn enrolled(service: &Service) -> Secret {
    let account = service.accounts.check_enrolling(by_password(PASSWORD), service.now()).await.unwrap();
    let begun = service.accounts.enrol_second_factor(&account.id, service.now()).await.unwrap();
    let code = code_of(&begun.secret, service);
    let codes = service.accounts.confirm_second_factor(&account.id, &code, service.now()).await.unwrap();
    codes.into_iter().next().unwrap()
}

/// The code of a secret, found by asking about all of them.
fn code_of(secret: &Secret, service: &Service) -> Secret {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for char in secret.expose_text().unwrap().chars() {
        held = held << 5 | u32::try_from(alphabet.find(char).unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    let totp = TotpSecret::from_bytes(Secret::new(bytes));
    let codes = (0..1_000_000).map(|code| format!("{code:06}"));
    let found = codes.into_iter().find(|code| totp.check(code, service.now().wall).is_some());
    Secret::from(found.unwrap())
}

#[tokio::test]
async fn who_has_to_have_one_logs_in_to_nothing_before() {
    let service = service(SecondFactorRule::Everybody);
    let id = service.register(EMAIL).await;
    assert_eq!(refusal(&service, by_password("wrong")).await, fault(LoginFault::Credentials));
    assert_eq!(refusal(&service, by_password(PASSWORD)).await, fault(LoginFault::SecondFactorEnrolment));
    let wrong = service.accounts.check_enrolling(by_password("wrong"), service.now()).await.unwrap_err();
    assert_eq!(wrong, AccountError::Login(LoginFault::Credentials));
    let recovery = enrolled(&service).await;
    assert_eq!(refusal(&service, by_password(PASSWORD)).await, fault(LoginFault::SecondFactorMissing));
    let twice = service.accounts.check_enrolling(by_password(PASSWORD), service.now()).await.unwrap_err();
    assert!(matches!(twice, AccountError::State(_)), "{twice:?}");
    let disabled = service.accounts.disable_second_factor(&id, None, service.now()).await.unwrap_err();
    assert!(matches!(disabled, AccountError::State(_)), "{disabled:?}");
    let mut login = by_password(PASSWORD);
    login.second_factor = Some(SecondFactorProof::RecoveryCode(recovery));
    assert_eq!(refusal(&service, login).await, Ok(()));
}

#[tokio::test]
async fn a_begun_one_is_not_one() {
    let service = service(SecondFactorRule::Everybody);
    let id = service.register(EMAIL).await;
    service.accounts.enrol_second_factor(&id, service.now()).await.unwrap();
    assert_eq!(refusal(&service, by_password(PASSWORD)).await, fault(LoginFault::SecondFactorEnrolment));
}

#[tokio::test]
async fn a_reset_of_the_password_removes_none() {
    let service = service(SecondFactorRule::Chosen);
    let id = service.register(EMAIL).await;
    enrolled(&service).await;
    let fresh = "another good password";
    service.accounts.reset_password(&id, Secret::from(fresh), service.now()).await.unwrap();
    assert_eq!(refusal(&service, by_password(fresh)).await, fault(LoginFault::SecondFactorMissing));
}

#[tokio::test]
async fn guesses_at_a_password_beside_an_enrolment_are_guesses() {
    let service = service(SecondFactorRule::Everybody);
    service.register(EMAIL).await;
    let mut seen = Vec::new();
    for _ in 0..12 {
        seen.push(service.accounts.check_enrolling(by_password("wrong"), service.now()).await.unwrap_err());
    }
    assert!(seen[..10].iter().all(|error| *error == AccountError::Login(LoginFault::Credentials)));
    assert!(matches!(seen[10], AccountError::Refused(_)), "{:?}", seen[10]);
    let right = refusal(&service, by_password(PASSWORD)).await;
    assert!(matches!(right, Err(AccountError::Refused(_))), "one budget for both: {right:?}");
}

#[tokio::test]
async fn the_rule_is_about_types_roles_and_permissions() {
    let names = |name: &str| -> Names { [name].into_iter().collect() };
    let rule = |kinds, roles, permissions| SecondFactorRule::Whoever { kinds, roles, permissions };
    let none = || Names::EMPTY;
    let rules = [
        (rule(names("staff"), none(), none()), AccountChange::Kind(Some("staff".into()))),
        (rule(none(), names("root"), none()), AccountChange::Roles(names("root"))),
        (rule(none(), none(), names("admin")), AccountChange::Permissions(names("admin"))),
    ];
    for (rule, change) in rules {
        let service = service(rule);
        let id = service.register(EMAIL).await;
        assert_eq!(refusal(&service, by_password(PASSWORD)).await, Ok(()), "{change:?}");
        service.accounts.change(&id, change.clone(), service.now()).await.unwrap();
        assert_eq!(
            refusal(&service, by_password(PASSWORD)).await,
            fault(LoginFault::SecondFactorEnrolment),
            "{change:?}"
        );
    }
}
