-- What wrk runs beside its requests: a report that a program can read, and, with
-- BENCH_TOKENS, a different token in each request.
--
-- BENCH_TOKENS  a file with a token a line, taken in turn, again from the first after the last
-- BENCH_ONCE    1: ends when each was sent once, and reports the microseconds until then
local file = os.getenv("BENCH_TOKENS")

if file then
  local ffi = require("ffi")
  ffi.cdef [[
    typedef struct { long s; long ns; } bench_time;
    int clock_gettime(int id, bench_time *time);
    int getpid(void);
    int kill(int pid, int signal);
  ]]
  local MONOTONIC, SIGINT = 1, 2
  local time = ffi.new("bench_time")
  local once = os.getenv("BENCH_ONCE") == "1"
  local threads, requests, sent, started = {}, {}, 0, 0

  local function microseconds ()
    ffi.C.clock_gettime(MONOTONIC, time)
    return tonumber(time.s) * 1000000 + tonumber(time.ns) / 1000
  end

  function setup (thread)
    table.insert(threads, thread)
  end

  function init (args)
    for line in io.lines(file) do
      table.insert(requests, wrk.format(nil, nil, { ["Authorization"] = "Bearer " .. line }))
    end
  end

  function request ()
    if sent == 0 then started = microseconds() end
    sent = sent + 1
    if once and sent == #requests + 1 then
      elapsed = microseconds() - started
      ffi.C.kill(ffi.C.getpid(), SIGINT)
    end
    return requests[(sent - 1) % #requests + 1]
  end

  function elapsed_of_first ()
    return threads[1]:get("elapsed") or 0
  end
end

function done (summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "\nreport {\"requests\":%d,\"microseconds\":%d,\"bytes\":%d,\"p50\":%d,\"connect\":%d,\"read\":%d,\"write\":%d,\"status\":%d,\"timeout\":%d,\"once\":%d}\n",
    summary.requests, summary.duration, summary.bytes, latency:percentile(50),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout, elapsed_of_first and elapsed_of_first() or 0
  ))
end
