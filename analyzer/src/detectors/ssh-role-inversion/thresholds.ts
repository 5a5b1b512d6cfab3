/** Scores of SSH role inversion. */
export const sshRoleInversionThresholds = {
  /**
   * Strength and sureness, 0..1. The first key exchange message is unambiguous (RFC 4253 8): which side is the client does
   * not need a second look.
   */
  score: 0.85,
  confidence: 0.95,
} as const
