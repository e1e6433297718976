// Is this text a time to Go? time.Parse with the layouts of go-yaml (go.yaml.in/yaml v2.4.3,
// resolve.go) and of encoding/json (time.RFC3339, Go 1.26, time/format_rfc3339.go).

const CLOCK_TIME = '(\\d{1,2}):(\\d{1,2}):(\\d{1,2})(?:[.,]\\d+)?'
const ZONE = '(?:Z|[+-](\\d{2}):(\\d{2}))'
const YAML_TIME = new RegExp(`^(\\d{4})-(\\d{1,2})-(\\d{1,2})(?:[Tt]${CLOCK_TIME}${ZONE}| ${CLOCK_TIME})?$`)
const RFC_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:Z|[+-](\d{2}):(\d{2}))$/

/** What go-yaml takes for a timestamp (resolve.go, parseTimestamp). */
export function isYamlTime (text: string): boolean {
  const [, year, month, day, hour, minute, second, zoneHour, zoneMinute, ...other] = YAML_TIME.exec(text) ?? []
  return year !== undefined && isDay(year, month, day) &&
    isClock(hour ?? other[0], minute ?? other[1], second ?? other[2], zoneHour, zoneMinute)
}

/** What encoding/json takes for a time.Time. */
export function isRfcTime (text: string): boolean {
  const [, year, month, day, ...clock] = RFC_TIME.exec(text) ?? []
  return year !== undefined && isDay(year, month, day) && isClock(...clock)
}

function isDay (year: string, month = '0', day = '0'): boolean {
  const [y, m, d] = [Number(year), Number(month), Number(day)]
  const isLeap = y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0)
  const days = new Date(Date.UTC(2000, m, 0)).getUTCDate() - (m === 2 && !isLeap ? 1 : 0)
  return m >= 1 && m <= 12 && d >= 1 && d <= days
}

/** An offset of 24 hours or 60 minutes is one, as some people write it. */
function isClock (hour = '0', minute = '0', second = '0', zoneHour = '0', zoneMinute = '0'): boolean {
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 && Number(zoneHour) <= 24 &&
    Number(zoneMinute) <= 60
}
