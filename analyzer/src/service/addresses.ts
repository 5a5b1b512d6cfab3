/** Where a running service can be reached; undefined for what the configuration turned off. */
export interface ServiceAddresses {
  /** What collectors dial: "unix:/path", "127.0.0.1:4410". */
  readonly collectors: string
  readonly page: PageAddress | undefined
  /** Where ClickHouse clients read the embedded store. */
  readonly sql: SqlAddress | undefined
}

export interface PageAddress {
  readonly address: string
  /** Signs a browser in: whoever has it may read. */
  readonly signInAddress: string
  readonly tokenFile: string
}

export interface SqlAddress {
  readonly url: string
  readonly tokenFile: string
}
