/** Limits and scores of the tun device detector. */
export const tunDeviceThresholds = {
  /**
   * Share of accepted connections before which the holder of the device had been spoken to from outside within 100 ms.
   * A VPN passes on what it got at once; what a guest or a program here says through the device follows nothing.
   */
  followedShare: 0.5,
  /**
   * Bytes of the outside connection for each byte that services got and gave through the device, each way. A VPN carries all
   * of them and its own framing; the rest is for compression.
   */
  carriedShare: 0.25,
  /** Outside connections of one holder that are compared with the device, for each time that it is judged. */
  comparedConnections: 64,
  /** Processes below it, of which the connections are looked at too. */
  comparedChildren: 16,
  /** Processes that hold one device: a queue each, or inherited. */
  holdersOfDevice: 16,
  /** Devices of one holder. A VPN has one, a hypervisor one for each card of its guest. */
  devicesOfHolder: 32,
  /** Devices that are remembered. Past this the longest silent one is forgotten. */
  devices: 4_096,

  /** Strength and sureness of each verdict, 0..1. From .5 on it wakes a person, from .7 on it is high. */
  verdicts: {
    /** Answered after the outside spoke, and the outside connection has carried the bytes of it. */
    carried: { score: 0.8, confidence: 0.9 },
    /** Answered, and one of the two. */
    answered: { score: 0.6, confidence: 0.7 },
    /** Another machine answered, passed on by this host, after the outside spoke. */
    forwarded: { score: 0.6, confidence: 0.7 },
    /** Connected, and nothing said, or nothing answered: a scan, or a look whether somebody listens. */
    connected: { score: 0.35, confidence: 0.6 },
    /** The service is itself connected to who asks it, as one that was told to call back (FTP's data connections). */
    calledBack: { score: 0.3, confidence: 0.5 },
  },
} as const
