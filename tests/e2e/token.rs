//! The seal key is made in a token and never leaves it: SoftHSM2 stands for the real one.

use crate::judges::{exported, judge};
use crate::reading::Delivered;
use crate::scene::{ALI, AYSE, Plan, Scene};
use crate::tool::{file, run, tool};
use std::ffi::OsString;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_a_token_seals_what_outside_judges_verify() {
    sealed_by("p256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rsa_key_in_a_token_seals_what_outside_judges_verify() {
    sealed_by("rsa2048").await;
}

async fn sealed_by(kind: &str) {
    let Some(module) = file("libsofthsm2.so", &MODULES) else { return };
    let Some(environment) =
        Scene::new(Plan { direct: true, ..Plan::default() }).await.token(&module)
    else {
        return;
    };
    let (scene, environment) = environment;
    let authority = scene.provider().join("secrets/registers/seal.pem");
    let generate = ["seal", "generate", "--key", kind, "--dev-ca", authority.to_str().unwrap()];
    let ran = scene.kep_with(&generate, &environment).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // A second one would orphan what the first has signed.
    let again = scene.kep_with(&generate, &environment).await;
    assert_eq!(again.code, Some(73), "{}", again.err);
    let shown = scene.kep_with(&["seal", "show"], &environment).await;
    assert!(shown.out.contains("hs05.kep.tr"), "{}{}", shown.out, shown.err);

    let server = scene.serve_with(&environment).await;
    let original = scene.letter(ALI, &[AYSE], "jeton@x");
    let id = scene.accepted(ALI, &[AYSE], &original).await;
    scene.settled(&id, 2).await;
    for (path, xml) in exported(&scene, &id).await {
        judge(&scene, &path, &xml);
    }
    let delivered = Delivered { scene, server, id, original };
    let dispatch = delivered.all_of(AYSE, "INBOX").await.remove(0);
    let Delivered { scene, server, .. } = delivered;
    let mail = scene.scratch("dispatch.eml");
    std::fs::write(&mail, dispatch).unwrap();
    if let Some(openssl) = tool("openssl") {
        let anchor = scene.provider().join("trust/seal-ca.pem");
        let flags = ["cms", "-verify", "-in", mail.to_str().unwrap(), "-CAfile"];
        let (good, said) = run(&openssl, &[&flags[..], &[anchor.to_str().unwrap()]].concat());
        assert!(good, "{}", String::from_utf8_lossy(&said));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_for_a_real_certificate_is_signed_in_the_token() {
    let Some(module) = file("libsofthsm2.so", &MODULES) else { return };
    let Some((scene, environment)) = Scene::new(Plan::default()).await.token(&module) else {
        return;
    };
    let ran = scene.kep_with(&["seal", "generate", "--key", "rsa3072"], &environment).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let Some(openssl) = tool("openssl") else { return };
    let request = scene.scratch("seal.csr");
    std::fs::write(&request, ran.out).unwrap();
    let flags = ["req", "-verify", "-noout", "-text", "-in", request.to_str().unwrap()];
    let (good, said) = run(&openssl, &flags);
    let said = String::from_utf8_lossy(&said);
    assert!(good && said.contains("kepservisi@hs05.kep.tr"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_there_is_named() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("seal", "source", "\"pkcs11\"");
    let missing = scene.kep(&["serve"]).await;
    assert_eq!(missing.code, Some(78), "{}", missing.err);
    for key in ["module", "token", "pin_file", "key_label"] {
        assert!(missing.err.contains(&format!("seal.pkcs11.{key}")), "{}", missing.err);
    }
}

type Environment = Vec<(&'static str, OsString)>;

impl Scene {
    /// Makes a token and configures it; says with which environment it is found.
    fn token(self, module: &std::path::Path) -> Option<(Self, Environment)> {
        let tokens = self.scratch("tokens");
        std::fs::create_dir_all(&tokens).unwrap();
        let conf = self.scratch("softhsm2.conf");
        let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        std::fs::write(&conf, text).unwrap();
        let init =
            ["--init-token", "--free", "--label", "kep", "--pin", "4321", "--so-pin", "8765"];
        let made = std::process::Command::new(tool("softhsm2-util")?)
            .args(init)
            .env("SOFTHSM2_CONF", &conf)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let pin = self.provider().join("secrets/token.pin");
        std::fs::write(&pin, "4321\n").unwrap();
        self.set("seal", "source", "\"pkcs11\"");
        self.set("seal", "certificate", "\"secrets/token-seal.pem\"");
        self.set("seal.pkcs11", "module", &format!("\"{}\"", module.display()));
        self.set("seal.pkcs11", "token", "\"kep\"");
        self.set("seal.pkcs11", "pin_file", "\"secrets/token.pin\"");
        self.set("seal.pkcs11", "key_label", "\"seal\"");
        Some((self, vec![("SOFTHSM2_CONF", conf.into_os_string())]))
    }
}

/// Where Debian puts it.
const MODULES: [&str; 2] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
