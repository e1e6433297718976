-- Asks chartgate at /authz whether a request may pass, for haproxy.cfg beside it: HAProxy has no
-- sub-request of its own. Whatever is no 200 ends the request here.
local ASK = "http://127.0.0.1:5003/authz"
local PASSED_ON = { "x-auth-user", "x-auth-tenant", "authorization" }
local NOT_PASSED_ON = { ["content-length"] = true, ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true }

core.register_action("authz", { "http-req" }, function(txn)
  local headers = txn.http:req_get_headers()
  for _, name in ipairs({ "connection", "content-length", "transfer-encoding", "expect", "te", "upgrade" }) do
    headers[name] = nil
  end
  -- In place of what the client sent.
  headers["x-forwarded-method"] = { [0] = txn.sf:method() }
  headers["x-forwarded-uri"] = { [0] = txn.sf:pathq() }
  headers["x-forwarded-for"] = { [0] = txn.sf:src() }

  local answer = core.httpclient():get({ url = ASK, headers = headers, timeout = 5000 })
  if answer ~= nil and answer.status == 200 then
    txn.http:req_del_header("connection")
    for _, name in ipairs(PASSED_ON) do
      local value = answer.headers[name]
      txn.http:req_set_header(name, value ~= nil and value[0] or "")
    end
    return
  end

  local reply
  if answer == nil or answer.status == 0 or answer.status >= 500 then
    reply = txn:reply({ status = 503, reason = "Service Unavailable" })
    reply:add_header("content-type", "application/json")
    reply:add_header("retry-after", "5")
    reply:set_body('{"error":"the gateway cannot be asked: try again shortly"}')
  else
    reply = txn:reply({ status = answer.status, reason = answer.reason })
    for name, values in pairs(answer.headers) do
      if not NOT_PASSED_ON[name] then
        for i = 0, #values do reply:add_header(name, values[i]) end
      end
    end
    reply:set_body(answer.body or "")
  end
  txn:done(reply)
end)
