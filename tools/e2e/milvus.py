"""Attacks a real Milvus while `bartizan serve` tails its logs, and asserts the findings and the mail. Started by tools/test-milvus inside a network namespace.

Prints the time from the first failed login to the mail in the mailbox. Exit 1 with the reason if something is missing.
"""
import argparse, email, json, logging, os, re, signal, subprocess, sys, threading, time, urllib.request

import grpc
from aiosmtpd.controller import Controller
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, MilvusException, Role, connections, utility

logging.disable(logging.CRITICAL)
args = argparse.ArgumentParser()
args.add_argument("--bin", required=True), args.add_argument("--cache", required=True), args.add_argument("--work", required=True)
ARG = args.parse_args()
WAIT_S = 120  # only a broken program gets there


def wait_for(what, probe, log=None):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        got = probe()
        if got:
            return got
        time.sleep(0.05)
    if log and os.path.exists(log):
        sys.stderr.write(open(log, errors="replace").read()[-4000:])
    sys.exit(f"milvus: waited {WAIT_S} s for {what}")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as r:
            return r.status == 200
    except OSError:
        return False


class Milvus:
    """The server from PyPI's wheel: authorization on, access log to a file without a cache, everything under one folder."""

    def __init__(self, home, cache):
        self.home = home
        for part in ("configs", "logs", "data", "accesslog", "run"):
            os.makedirs(f"{home}/{part}")
        data = next(os.path.join(b, "config.yaml.template") for b, _, f in os.walk(f"{cache}/venv/lib") if "config.yaml.template" in f)
        text = open(data, encoding="utf-8").read()
        for name, value in {"etcd_log_path": f"{home}/logs/etcd.log", "etcd_data_dir": f"{home}/data/etcd", "local_storage_dir": f"{home}/data",
                            "rocksmq_data_dir": f"{home}/data/rocksmq", "system_log_path": f"{home}/logs", "authorization_enabled": "true"}.items():
            text = re.sub(r"\{\{ " + name + r"\b.*?\}\}", value, text)
        text = re.sub(r"\{\{ \w+(?:\(\w+\))?: (.*?) *\}\}", r"\1", text).replace("localhost:", "127.0.0.1:")
        access = f"    enable: true\n    filename: access.log\n    localPath: {home}/accesslog\n    cacheSize: 0"
        head, tail = text.split("  accessLog:", 1)
        text = head + "  accessLog:" + tail.replace("    enable: false", access, 1)
        open(f"{home}/configs/milvus.yaml", "w", encoding="utf-8").write(text)
        glog = os.path.join(os.path.dirname(data), "glog.conf")
        if os.path.exists(glog):
            open(f"{home}/configs/glog.conf", "w").write(open(glog).read())
        env = {**os.environ, "LD_LIBRARY_PATH": f"{cache}/bin", "DEPLOY_MODE": "STANDALONE", "METRICS_PORT": "9091", "MILVUS_RUN_DIR": f"{home}/run"}
        # It locks a pid file in /run/milvus: a /run of its own keeps it apart from others.
        start = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$0" run standalone', f"{cache}/bin/milvus"]
        out, err = open(f"{home}/logs/milvus-stdout.log", "ab"), open(f"{home}/logs/milvus-stderr.log", "ab")
        self.process = subprocess.Popen(start, cwd=home, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        wait_for("Milvus to be healthy", lambda: answers("http://127.0.0.1:9091/healthz"), f"{home}/logs/milvus-stderr.log")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)  # it often hangs on SIGTERM
        except subprocess.TimeoutExpired:
            self.process.kill(), self.process.wait()


class Mailbox:
    """A real SMTP server on loopback; keeps (arrival, message)."""

    def __init__(self, port):
        self.mails, self.lock = [], threading.Lock()
        self.controller = Controller(self, hostname="127.0.0.1", port=port)
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        with self.lock:
            self.mails.append((time.time(), email.message_from_bytes(envelope.content)))
        return "250 kept"

    def first(self, *words):
        with self.lock:
            for at, mail in self.mails:
                if all(w in body_of(mail) for w in words):
                    return at, mail
        return None


def body_of(mail):
    texts = [str(email.header.make_header(email.header.decode_header(mail["Subject"] or "")))]
    texts += [p.get_payload(decode=True).decode("utf-8", "replace") for p in mail.walk() if p.get_content_type() == "text/plain"]
    return "\n".join(texts)


def connect(alias, user, password):
    if connections.has_connection(alias):
        connections.disconnect(alias)
    connections.connect(alias=alias, host="127.0.0.1", port="19530", user=user, password=password, timeout=5)


def refused(act):
    try:
        act()
    except (MilvusException, grpc.RpcError):
        return
    sys.exit("milvus: an attack that should be refused was not")


def attack():
    """What an intruder would do. Gives the time of the first failed login."""
    connect("root", "root", "Milvus")
    first = time.time()
    for i in range(15):
        refused(lambda: connect("bad", "root", f"wrong-{i}"))
    for name in ("admin", "milvus", "test", "backup", "guest", "oracle"):
        refused(lambda: connect("bad", name, "summer"))
    utility.create_user("mole", "M0le#Passw0rd", using="root")
    Role("admin", using="root").add_user("mole")
    connect("mole", "mole", "M0le#Passw0rd")
    fields = [FieldSchema("id", DataType.INT64, is_primary=True), FieldSchema("vec", DataType.FLOAT_VECTOR, dim=4)]
    Collection("customers", CollectionSchema(fields), using="mole")
    utility.drop_collection("customers", using="mole")
    return first


def bartizan(*words):
    done = subprocess.run([ARG.bin, *words], capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1):
        sys.exit(f"milvus: bartizan {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()[-600:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main():
    milvus = Milvus(f"{ARG.work}/milvus", ARG.cache)
    mailbox = Mailbox(2525)
    config, data, log = f"{ARG.work}/bartizan.toml", f"{ARG.work}/data", f"{ARG.work}/bartizan.log"
    sources = "".join(f'[[source]]\nkind = "file"\npath = "{milvus.home}/{p}"\ncluster = "vectors"\ncomponent = "milvus"\ninstance = "milvus-0"\n'
                      for p in ("logs/milvus-stdout.log", "accesslog/*.log"))
    notify = '[[notify]]\nname = "oncall"\nkind = "email"\ntarget = "smtp://127.0.0.1:2525"\nfrom = "bartizan@example.org"\nto = ["oncall@example.org"]\n'
    open(config, "w").write(f'[server]\ndata = "{data}"\nlisten = "127.0.0.1:7711"\n{sources}{notify}')
    server = subprocess.Popen([ARG.bin, "serve", "-c", config], stdout=open(log, "ab"), stderr=subprocess.STDOUT)
    try:
        wait_for("bartizan to be ready", lambda: server.poll() is None and answers("http://127.0.0.1:7711/readyz"), log)
        first = attack()
        at, mail = wait_for("the mail about the guessed passwords", lambda: mailbox.first("root", "failed"), log)
        wanted = {"failed logins": "milvus-logon-failures", "an account made": "milvus-account-created", "a role granted": "milvus-role-changed",
                  "unknown accounts": "milvus-unknown-account", "a collection dropped": "customers"}
        for what, word in wanted.items():
            wait_for(f"the alert: {what}", lambda: any(word in json.dumps(a) for a in bartizan("alert", "list", "--data", data, "--output", "jsonl")), log)
        rows = bartizan("query", "--data", data, "--output", "jsonl", "select count(*) as n from events where action = 'authentication.logon' and status = 'failure' and \"user\" = 'root'")
        if not rows or rows[0]["n"] < 15:
            sys.exit(f"milvus: {rows} failed logons of root are stored, 15 were made")
        print(f"from the first failed login to the mail in the mailbox: {at - first:.2f} s ({mail['Subject']})")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        mailbox.controller.stop()
        milvus.stop()
    print(f"{len(mailbox.mails)} mails, {len(wanted) + 2} assertions")
    print("1 passed, 0 failed")


main()
