// A client of the profile `alianza` in a browser's or a server's JavaScript, with the calls of its guide.

const BASE = process.env.BASE_URL;

function expect(isSo, what) {
  if (!isSo) throw new Error(`not so: ${what}`);
}

async function send(method, path, token, content) {
  const headers = {};
  if (token) headers["X-AUTH-TOKEN"] = token;
  if (content) headers["Content-Type"] = "application/json";
  const answer = await fetch(BASE + path, { method, headers, body: content && JSON.stringify(content) });
  const text = await answer.text();
  return { status: answer.status, told: text ? JSON.parse(text) : null };
}

class Session {
  #login = { userName: process.env.USER_NAME, password: process.env.PASSWORD };
  #token = null;
  opened = 0;

  async open() {
    const { status, told } = await send("POST", "/v2/authorize", null, this.#login);
    expect(status === 200 && told.tokenType === "Bearer" && told.expiresIn > 0, `a login succeeds, but it was ${status}`);
    this.#token = told.authToken;
    this.opened += 1;
    return told;
  }

  async ask(method, path) {
    const first = await send(method, path, this.#token);
    if (first.status !== 401) return first;
    await this.open();
    return send(method, path, this.#token);
  }
}

const session = new Session();
const { partitionId, userId } = await session.open();
const deadline = Date.now() + 30_000;
while (session.opened < 1 + Number(process.env.REFRESHES)) {
  expect(Date.now() < deadline, "tokens run out");
  const { status } = await session.ask("GET", `/v2/partition/${partitionId}/account`);
  expect(status === 200, `accounts are listed, but it was ${status}`);
  await new Promise((later) => setTimeout(later, 200));
}
const who = await session.ask("GET", "/v2/authorize/userinfo");
expect(who.told.userId === userId, "userinfo tells who it is");
const wrong = await send("POST", "/v2/authorize", null, { userName: "nobody", password: "not this one" });
expect(wrong.status === 401 && wrong.told.message === "Invalid credentials", "who is not known is not let in");
const left = await session.ask("PUT", "/v2/authorize/logout");
expect(left.status === 200 && left.told === null, "leaving answers nothing");
