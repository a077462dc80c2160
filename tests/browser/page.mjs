// Other tests may have the machine to themselves for a while.
const PATIENCE = 60_000;
const EXECUTE = ".graphiql-execute-button";

/** GraphiQL's page, in the words of someone who uses it. */
export class GraphiQL {
  /** Requests to any other host: there must be none. */
  foreign = [];
  /** Errors and warnings of the console, and uncaught exceptions. */
  complaints = [];

  static async open(browser, server, colorScheme, more = {}) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1440, height: 900 }, ...more });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const graphiql = new GraphiQL(page);
    graphiql.#watch(new URL(server).host);
    graphiql.#schema = page.waitForResponse((response) => response.request().postData()?.includes("__schema"));
    await page.goto(`${server}/graphiql`);
    return graphiql;
  }

  #schema;

  constructor(page) {
    this.page = page;
  }

  #watch(host) {
    const judge = (url) => {
      const { protocol, host: asked } = new URL(url);
      if (protocol !== "data:" && protocol !== "blob:" && asked !== host) this.foreign.push(url);
    };
    this.page.context().on("request", (request) => judge(request.url()));
    this.page.on("websocket", (socket) => judge(socket.url()));
    this.page.on("pageerror", (error) => this.complaints.push(error.message));
    this.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
  }

  /** The editors are there, and the schema has been read. */
  async ready() {
    await this.page.waitForFunction(() => globalThis.__MONACO?.editor.getEditors().length >= 4);
    await this.page.waitForSelector(".graphiql-query-editor .view-line");
    await (await this.#schema).finished();
    await this.page.waitForSelector('button[aria-label^="Re-fetch GraphQL schema"]:not([disabled])');
  }

  /** Monaco starts its workers when it first has something for them. */
  async workersAtLeast(wanted) {
    while (this.page.workers().length < wanted) await this.page.waitForEvent("worker");
  }

  tabs() {
    return this.page.locator(".graphiql-tab").count();
  }

  async newTab() {
    await this.page.click(".graphiql-tab-add");
  }

  async type(text) {
    await this.page.click(".graphiql-query-editor .view-lines");
    await this.page.keyboard.type(text, { delay: 30 });
  }

  async replace(text) {
    await this.page.keyboard.press("Escape");
    await this.page.evaluate((text) => {
      const models = globalThis.__MONACO.editor.getModels();
      models.find((model) => model.uri.path.endsWith("operation.graphql")).setValue(text);
    }, text);
    await this.#settled();
  }

  /** What the editor offers; asked for again while its worker is still taking the schema in. */
  async suggestions() {
    const rows = this.page.locator(".suggest-widget.visible .monaco-list-row .label-name");
    for (let attempt = 0; attempt < 10 && (await rows.count()) === 0; attempt += 1) {
      await this.page.waitForTimeout(1000);
      if ((await rows.count()) === 0) await this.page.keyboard.press("Control+Space");
    }
    return rows.allTextContents();
  }

  /** Presses the button, and waits for the answer. */
  async run() {
    await this.start();
    return this.#answered();
  }

  async runByKeyboard() {
    await this.#settled();
    await this.#forget();
    await this.page.keyboard.press("Control+Enter");
    return this.#answered();
  }

  async start() {
    await this.#settled();
    await this.#forget();
    await this.page.click(EXECUTE);
  }

  async stop() {
    await this.page.click(`${EXECUTE}[aria-label^="Stop"]`);
    await this.page.waitForSelector(`${EXECUTE}[aria-label^="Execute"]`);
  }

  async response() {
    return JSON.parse(await this.page.evaluate(responseText));
  }

  status() {
    return this.page.locator(".dendro-status").innerText();
  }

  async eventsAtLeast(wanted, timeout) {
    await this.page.waitForFunction((wanted) => {
      const told = document.querySelector('[data-fact="events"]')?.textContent ?? "";
      return Number.parseInt(told.replace(/\D/g, "") || "0", 10) >= wanted;
    }, wanted, { timeout });
  }

  async showAll() {
    await this.page.click('.dendro-switch button:has-text("All")');
  }

  samples(kind) {
    return this.page
      .locator(`[data-sample][data-kind="${kind}"]`)
      .evaluateAll((buttons) => buttons.map((button) => button.dataset.sample));
  }

  /** False when it needs something that is not recorded yet. */
  async openSample(name) {
    await this.page.click(`[data-sample="${name}"]`);
    await this.#settled();
    return (await this.page.locator(".dendro-samples-missing").count()) === 0;
  }

  /** Filter, arrow down, Enter: the way of someone who never touches the mouse. */
  async openSampleByKeyboard(words) {
    await this.page.focus('.dendro-samples input[type="search"]');
    await this.page.keyboard.type(words);
    await this.page.keyboard.press("ArrowDown");
    await this.page.keyboard.press("Enter");
    await this.page.waitForFunction(() => document.activeElement?.closest(".graphiql-query-editor"));
    await this.page.fill('.dendro-samples input[type="search"]', "");
    await this.page.evaluate(() => {
      globalThis.__MONACO.editor.getEditors().find((one) => one.getModel()?.uri.path.endsWith("operation.graphql")).focus();
    });
  }

  async showPlugin(title) {
    await this.page.click(`.graphiql-sidebar button[aria-label="Show ${title}"]`);
    await this.page.waitForTimeout(300);
  }

  async screenshot(folder, name) {
    if (folder) await this.page.screenshot({ path: `${folder}/${name}.png` });
  }

  /** GraphiQL reads its editors a moment after they change. */
  async #settled() {
    await this.page.waitForTimeout(300);
  }

  async #forget() {
    await this.page.evaluate(() => {
      const models = globalThis.__MONACO.editor.getModels();
      models.find((model) => model.uri.path.endsWith("response.json")).setValue("");
    });
  }

  async #answered() {
    await this.page.waitForFunction(() => {
      const models = globalThis.__MONACO.editor.getModels();
      return models.find((model) => model.uri.path.endsWith("response.json")).getValue() !== "";
    });
    return this.response();
  }
}

function responseText() {
  const models = globalThis.__MONACO.editor.getModels();
  return models.find((model) => model.uri.path.endsWith("response.json")).getValue();
}
