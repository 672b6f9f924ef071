use super::*;
use proptest::prelude::*;

fn problems(fields: &Fields<'_>) -> Problems {
    match fields.finish() {
        Err(ApiError::Invalid(problems)) => problems,
        Ok(()) => Problems::new(),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_list_is_a_list_and_products_may_come_alone() {
    let fields = Fields::read(br#"{"a":"x","b":7,"c":["x",7,{"value":"y"}],"d":{"a":1}}"#).unwrap();
    assert_eq!(fields.texts("a", 10), Some(vec!["x".to_owned()]));
    assert_eq!(fields.texts("b", 10), Some(vec!["7".to_owned()]));
    assert_eq!(fields.list("c", 10), Some(vec!["x".to_owned(), "7".to_owned(), "y".to_owned()]));
    for field in ["a", "b", "d"] {
        assert_eq!(fields.list(field, 10), None, "{field}");
    }
    assert_eq!(problems(&fields).len(), 3);
}

#[test]
fn every_mistake_is_named_with_its_field() {
    let body = r#"{"email":"nobody","name":7,"tags":[[1]],"partner":{"key":"a b"},"extra":1,"on":"perhaps"}"#;
    let fields = Fields::read(body.as_bytes()).unwrap();
    assert_eq!(fields.email("email"), None);
    assert_eq!(fields.text("name", 100).as_deref(), Some("7"));
    assert_eq!(fields.texts("tags", 100), None);
    assert_eq!(fields.flag("on"), None);
    assert_eq!(fields.required("key", 64), None);
    let partner = fields.object("partner").unwrap();
    assert_eq!(partner.key("key"), None);
    let names: Vec<_> = problems(&fields).into_keys().collect();
    assert_eq!(names, ["email", "extra", "key", "on", "partner.key", "tags"]);
}

#[test]
fn control_characters_and_long_texts_are_refused() {
    let body = format!(r#"{{"a":"x\u0000y","b":"{}","c":"{}"}}"#, "é".repeat(100), "é".repeat(101));
    let fields = Fields::read(body.as_bytes()).unwrap();
    assert_eq!(fields.text("a", 100), None);
    assert_eq!(fields.text("b", 100).map(|t| t.chars().count()), Some(100));
    assert_eq!(fields.text("c", 100), None);
    assert_eq!(problems(&fields).len(), 2);
}

#[test]
fn numbers_keep_their_text() {
    let fields =
        Fields::read(br#"{"a":0.1000000000000000055,"b":"12.50","c":1e2,"d":"abc","e":[1]}"#).unwrap();
    assert_eq!(fields.decimal("a").as_deref(), Some("0.1000000000000000055"));
    assert_eq!(fields.decimal("b").as_deref(), Some("12.50"));
    assert_eq!(fields.decimal("c").as_deref(), Some("1e2"));
    assert_eq!(fields.decimal("d"), None);
    assert_eq!(fields.decimal("e"), None);
}

#[test]
fn nothing_and_an_empty_list_are_an_empty_object() {
    for body in ["", "  ", "[]", "{}"] {
        assert!(Fields::read(body.as_bytes()).unwrap().finish().is_ok());
    }
    for body in ["[1]", "1", "\"x\"", "{", "{\"a\":}", "nul", "{\"a\":1}x"] {
        assert!(matches!(Fields::read(body.as_bytes()), Err(ApiError::Unreadable(_))), "{body}");
    }
}

#[test]
fn deep_nesting_is_refused_without_a_fall() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    if let Ok(fields) = Fields::read(deep.as_bytes()) {
        assert!(fields.object("a").is_none());
        assert!(fields.texts("a", 10).is_none());
        assert!(fields.text("a", 10).is_none());
        assert!(fields.objects("a").is_none());
        assert!(fields.finish().is_err());
    }
}

#[test]
fn addresses_and_keys_have_a_form() {
    for good in ["a@b.example", "a+b@c"] {
        assert!(is_email(good), "{good}");
    }
    for bad in ["", "@", "a@", "@b", "a b@c", "a@b@c"] {
        assert!(!is_email(bad), "{bad}");
    }
    assert!(is_link_key("Maya-2_x"));
    for bad in ["", "a.b", "a/b", "ä", &"x".repeat(65)] {
        assert!(!is_link_key(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_fall(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(fields) = Fields::read(&body) {
            let _ = (fields.text("a", 5), fields.decimal("a"), fields.flag("a"), fields.texts("a", 5));
            let _ = (fields.object("a").is_some(), fields.objects("a").is_some());
            let _ = fields.finish();
        }
    }
}
