// The names that several scenarios have for the same contestant.

export const MUSEUM_BEARER = "ChartMuseum's own bearer auth"
export const MUSEUM_OPEN = 'ChartMuseum without auth'
export const HAPROXY = 'HAProxy jwt_verify, nginx behind'
export const GATEWAY_0S = 'chartgate, maxAge 0s'
export const GATEWAY_1S = 'chartgate, maxAge 1s'

export const INDEX = '/org1/repo1/index.yaml'
