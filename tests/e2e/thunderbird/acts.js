// What a person does in Thunderbird, each act awaited. Run in its own context through Marionette.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const certificates = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);

/** Imports the authorities and one's own certificate, as in Settings → Manage Certificates. */
function trust(authorities, p12s) {
  certificates.addCertFromBase64(authorities.tls, "C,,");
  certificates.addCertFromBase64(authorities.user, ",C,");
  certificates.addCertFromBase64(authorities.seal, ",C,");
  for (const { path, password } of p12s) {
    const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
    file.initWithPath(path);
    const error = certificates.importPKCS12File(file, password);
    if (error) throw new Error(`${path}: ${error}`);
  }
}

/** A new account: IMAP and SMTP with TLS and a password, signing when there is a certificate. */
async function addAccount({ address, password, host, imap, submission }) {
  for (const origin of [`imap://${host}`, `smtp://${host}`]) {
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
    login.init(origin, null, origin, address, password, "", "");
    await Services.logins.addLoginAsync(login);
  }
  const incoming = MailServices.accounts.createIncomingServer(address, host, "imap");
  incoming.port = imap;
  const outgoing = MailServices.outgoingServer.createServer("smtp");
  outgoing.QueryInterface(Ci.nsISmtpServer);
  outgoing.hostname = host;
  outgoing.port = submission;
  outgoing.username = address;
  for (const server of [incoming, outgoing]) {
    server.socketType = Ci.nsMsgSocketType.SSL;
    server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
  }
  const identity = MailServices.accounts.createIdentity();
  identity.email = address;
  identity.smtpServerKey = outgoing.key;
  identity.composeHtml = false;
  const own = certificates.getCerts()
    .find(c => c.certType & Ci.nsIX509Cert.USER_CERT && c.emailAddress == address);
  if (own) {
    identity.setUnicharAttribute("signing_cert_name", own.displayName);
    identity.setCharAttribute("signing_cert_dbkey", own.dbKey);
    identity.setBoolAttribute("sign_mail", true);
  }
  const account = MailServices.accounts.createAccount();
  account.addIdentity(identity);
  account.incomingServer = incoming;
}

/** Get Messages; the first time it logs in and lists the folders. */
async function getMessages(address) {
  const server = serverOf(address);
  const inbox = folderOf(address, "INBOX");
  await url(listener => server.getNewMessages(inbox, null, listener));
}

/** Lists the folders anew, as a click on the account does. */
function listFolders(address) {
  serverOf(address).performExpand(null);
}

/** Each folder's name with what Thunderbird takes it for. */
function folders(address) {
  const uses = { INBOX: 0x1000, Sent: 0x200, Drafts: 0x400, Trash: 0x100, Archive: 0x4000 };
  const offline = 0x8000000;
  return serverOf(address).rootFolder.descendants.map(folder => ({
    name: nameOf(folder),
    uses: Object.keys(uses).filter(use => folder.flags & uses[use]),
    offline: Boolean(folder.flags & offline),
  }));
}

/** Looks into a folder, as a click on it does; what it shows. */
async function look(address, name) {
  const folder = folderOf(address, name);
  folder.QueryInterface(Ci.nsIMsgImapMailFolder);
  // An update of a folder that is being updated already is dropped, and nobody is told.
  const updated = url(listener => folder.updateFolderWithListener(null, listener));
  await Promise.race([updated, new Promise(resolve => setTimeout(resolve, 1000))]);
  return [...folder.messages].map(header => ({
    key: header.messageKey,
    subject: header.mime2DecodedSubject,
    read: header.isRead,
    flagged: header.isFlagged,
    keywords: header.getStringProperty("keywords").split(" ").filter(Boolean).sort(),
    // Octets held for reading offline, by the background download.
    offline: header.flags & Ci.nsMsgMessageFlags.Offline ? header.offlineMessageSize : 0,
  }));
}

/** Downloads a folder for offline use, as File → Offline → Download Now does. */
async function download(address, name) {
  await url(listener => folderOf(address, name).downloadAllForOffline(listener, null));
}

/** Reads a message: all of its octets come as for the message pane, then it is marked. */
async function read(address, name, key) {
  const folder = folderOf(address, name);
  const uri = folder.getUriForMsg(header(folder, key));
  const text = await new Promise((resolve, reject) => {
    const octets = [];
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
      onStartRequest() {},
      onDataAvailable(_request, stream, _offset, count) {
        const input = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
        input.setInputStream(stream);
        octets.push(input.readBytes(count));
      },
      onStopRequest(_request, status) {
        status ? reject(new Error(`reading: ${status}`)) : resolve(octets.join(""));
      },
    };
    MailServices.messageServiceFromURI(uri).streamMessage(uri, listener, null, null, false, "");
  });
  folder.markMessagesRead([header(folder, key)], true);
  return text;
}

/** Shows a message in the main window; the sign that appears for its signature. */
async function signature(address, name, key) {
  const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
  MailUtils.displayMessageInFolderTab(header(folderOf(address, name), key));
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  const sign = () => window.document.getElementById("tabmail").currentAboutMessage?.document
    .getElementById("signedHdrIcon")?.getAttribute("src");
  await until(sign);
  return sign();
}

/** The star. */
function flag(address, name, key) {
  const folder = folderOf(address, name);
  folder.markMessagesFlagged([header(folder, key)], true);
}

/** Makes a tag, if there is none of that name, and puts it on; its keyword. */
function tag(address, name, key, label) {
  if (!MailServices.tags.getAllTags().some(tag => tag.tag == label)) {
    MailServices.tags.addTag(label, "#3333FF", "");
  }
  const folder = folderOf(address, name);
  const keyword = MailServices.tags.getKeyForTag(label);
  folder.addKeywordsToMessages([header(folder, key)], keyword);
  return keyword;
}

/** The name under which it shows a keyword, if it knows one. */
function knownTag(key) {
  return MailServices.tags.isValidKey(key) ? MailServices.tags.getTagForKey(key) : null;
}

/** Settings → General → Config Editor: the two strings of docs/clients.md. */
function learnTag(key, name, colour) {
  Services.prefs.setStringPref(`mailnews.tags.${key}.tag`, name);
  Services.prefs.setStringPref(`mailnews.tags.${key}.color`, colour);
}

/** Shows a message in the main window; the tags that stand in its head. */
async function shownTags(address, name, key) {
  const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
  MailUtils.displayMessageInFolderTab(header(folderOf(address, name), key));
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  const tags = () => [...(window.document.getElementById("tabmail").currentAboutMessage?.document
    .querySelectorAll(".tags-list .tag") ?? [])].map(tag => tag.textContent);
  await until(() => tags().length);
  return tags();
}

/** Drags a message into another folder. */
async function move(address, name, key, to) {
  const [from, target] = [folderOf(address, name), folderOf(address, to)];
  await copied(listener => MailServices.copy
    .copyMessages(from, [header(from, key)], target, true, listener, null, false));
}

/** The Delete key. */
async function remove(address, name, key) {
  const folder = folderOf(address, name);
  await copied(listener => folder
    .deleteMessages([header(folder, key)], null, false, false, listener, false));
}

/** Compact: what is marked as deleted goes for good. */
async function compact(address, name) {
  await url(listener => folderOf(address, name).compact(listener, null));
}

/** Writes a message in the compose window, then sends it or saves it as a draft. */
async function write({ from, to, subject, body, attachment }, command) {
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"]
    .createInstance(Ci.nsIMsgCompFields);
  Object.assign(fields, { to, subject, body });
  if (attachment) {
    const file = Services.dirsvc.get("ProfD", Ci.nsIFile);
    file.append(attachment.name);
    await IOUtils.writeUTF8(file.path, attachment.text);
    const attached = Cc["@mozilla.org/messengercompose/attachment;1"]
      .createInstance(Ci.nsIMsgAttachment);
    Object.assign(attached, { name: attachment.name, url: Services.io.newFileURI(file).spec });
    fields.addAttachment(attached);
  }
  const params = Cc["@mozilla.org/messengercompose/composeparams;1"]
    .createInstance(Ci.nsIMsgComposeParams);
  params.composeFields = fields;
  params.identity = MailServices.accounts.allIdentities.find(one => one.email == from);
  params.format = Ci.nsIMsgCompFormat.PlainText;
  params.type = Ci.nsIMsgCompType.New;
  const window = await composeWindow(() =>
    MailServices.compose.OpenComposeWindowWithParams(null, params));
  if (command == "cmd_sendNow") {
    const sent = new Promise((resolve, reject) => window.gMsgCompose.addMsgSendListener({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
      onStartSending() {},
      onProgress() {},
      onStatus() {},
      onGetDraftFolderURI() {},
      onSendNotPerformed: (_id, status) => reject(new Error(`not performed: ${status}`)),
      onTransportSecurityError: (_id, status) => reject(new Error(`TLS: ${status}`)),
      onStopSending: (_id, status) => (status ? reject(new Error(`sending: ${status}`)) : resolve()),
    }));
    window.goDoCommand(command);
    await sent;
    // It closes when its copy is filed.
    await until(() => window.closed);
  } else {
    const saved = new Promise(resolve => window.addEventListener("aftersave", resolve, { once: true }));
    window.goDoCommand(command);
    // The window stays: closed too early, it would take the draft with it.
    await saved;
  }
}

function serverOf(address) {
  return MailServices.accounts.allServers.find(one => one.type == "imap" && one.username == address);
}

function folderOf(address, name) {
  const found = serverOf(address).rootFolder.descendants.find(folder => nameOf(folder) == name);
  if (!found) throw new Error(`no folder ${name}`);
  return found;
}

/** Versions differ in what they call the inbox. */
function nameOf(folder) {
  return folder.flags & 0x1000 ? "INBOX" : folder.name;
}

function header(folder, key) {
  return folder.GetMessageHeader(key);
}

function composeWindow(open) {
  return new Promise(resolve => {
    const watcher = {
      observe(window, topic) {
        if (topic != "domwindowopened") return;
        Services.ww.unregisterNotification(watcher);
        window.addEventListener("compose-editor-ready", () => resolve(window), { once: true });
      },
    };
    Services.ww.registerNotification(watcher);
    open();
  });
}

/** Runs what takes a URL listener, to its end. */
function url(start) {
  return new Promise((resolve, reject) => {
    start({
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
      OnStartRunningUrl() {},
      OnStopRunningUrl: (what, status) =>
        status ? reject(new Error(`${what?.spec}: ${status}`)) : resolve(),
    });
  });
}

/** Runs what takes a copy listener, to its end. */
function copied(start) {
  return new Promise((resolve, reject) => {
    start({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
      onStartCopy() {},
      onProgress() {},
      setMessageKey() {},
      getMessageId: () => null,
      onStopCopy: status => (status ? reject(new Error(`copy: ${status}`)) : resolve()),
    });
  });
}

async function until(there) {
  while (!there()) await new Promise(resolve => setTimeout(resolve, 20));
}
