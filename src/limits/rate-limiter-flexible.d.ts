// The two files of the library that are needed: its index loads a client of every database
// that it knows, which takes a start longer than all of ours.
declare module 'rate-limiter-flexible/lib/RateLimiterMemory.js' {
  import type { RateLimiterMemory } from 'rate-limiter-flexible'

  const Limiter: typeof RateLimiterMemory
  export default Limiter
}

declare module 'rate-limiter-flexible/lib/RateLimiterRedis.js' {
  import type { RateLimiterRedis } from 'rate-limiter-flexible'

  const Limiter: typeof RateLimiterRedis
  export default Limiter
}
