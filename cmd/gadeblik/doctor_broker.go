package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// soonExpired is how long before its end a certificate is worth a word.
const soonExpired = 14 * 24 * time.Hour

// broker goes the way to the broker step by step, so that the first that fails is
// named: the name, the connection, the certificate, the login.
func (v *visit) broker(ctx context.Context) []checkup {
	const part = "broker"
	m := v.cfg.MQTT
	if m.Broker == "" {
		return []checkup{{part, ill, "no broker is configured", "set mqtt.broker, such as tls://broker.example:8883"}}
	}
	if line, no := v.borrow(&m); no {
		return []checkup{line}
	}
	if m.PasswordFile == v.cfg.MQTT.PasswordFile && m.PasswordFile != "" { // what was borrowed root alone may read
		if line, no := v.refused(part, absolute(m.PasswordFile), mayRead); no {
			return []checkup{line}
		}
	}
	link, err := linkConfig(m)
	if err != nil {
		return []checkup{verdict(part, err, "", "correct mqtt.tls or mqtt.password_file")}
	}
	leaf, c, ok := reachBroker(ctx, m, link.TLS)
	if !ok {
		return []checkup{c}
	}
	if err := uplink.Ping(ctx, *link); err != nil {
		return []checkup{verdict(part, fmt.Errorf("login: %w", err), "", "check mqtt.username, the password and the vehicle's certificate, and what the broker allows")}
	}
	return []checkup{judgeCertificates(m, leaf, link.TLS, time.Now())}
}

// reachBroker resolves the name, connects and shakes hands. It returns the broker's
// certificate, nil without TLS; or the line on the step that failed.
func reachBroker(ctx context.Context, m config.MQTT, t *tls.Config) (*x509.Certificate, checkup, bool) {
	const part = "broker"
	u, err := url.Parse(m.Broker)
	if err != nil {
		return nil, checkup{part, ill, err.Error(), "correct mqtt.broker"}, false
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil {
		return nil, checkup{part, ill, fmt.Sprintf("name: %v", err), "check the spelling of mqtt.broker, and that the network is up and has a name server (/etc/resolv.conf)"}, false
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, checkup{part, ill, fmt.Sprintf("connection: %s (%s): %v", u.Host, strings.Join(addresses, ", "), err), "check the port, that the broker runs, and that no firewall is between"}, false
	}
	defer conn.Close() // only asked
	if !slices.Contains([]string{"tls", "ssl", "mqtts"}, u.Scheme) {
		return nil, checkup{}, true
	}
	if t = t.Clone(); t.ServerName == "" {
		t.ServerName = u.Hostname()
	}
	secure := tls.Client(conn, t)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, judgeHandshake(err, time.Now()), false
	}
	return secure.ConnectionState().PeerCertificates[0], checkup{}, true
}

// judgeHandshake tells a wrong certificate from a wrong clock.
func judgeHandshake(err error, now time.Time) checkup {
	const part = "broker"
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		return checkup{part, ill, fmt.Sprintf("certificate: this computer's clock is wrong: it says %s, and the broker's certificate begins at %s", now.UTC().Format(time.DateTime), invalid.Cert.NotBefore.UTC().Format(time.DateTime)),
			"set the clock (`timedatectl`); the agent itself takes its time from the GPS"}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return checkup{part, ill, fmt.Sprintf("certificate: the broker's has expired on %s", invalid.Cert.NotAfter.UTC().Format(time.DateTime)), "renew it at the broker; if this is not the time, set the clock"}
	case errors.As(err, &unknown):
		return checkup{part, ill, "certificate: " + err.Error(), "put the certificate of the broker's authority into mqtt.tls.ca_file"}
	case errors.As(err, &name):
		return checkup{part, ill, "certificate: " + err.Error(), "use the name in the certificate in mqtt.broker, or set mqtt.tls.server_name to it"}
	}
	return checkup{part, ill, "TLS: " + err.Error(), "check that this port speaks TLS, and the certificate of this vehicle (mqtt.tls)"}
}

// judgeCertificates warns before a certificate ends, the broker's or the vehicle's.
func judgeCertificates(m config.MQTT, leaf *x509.Certificate, t *tls.Config, now time.Time) checkup {
	const part = "broker"
	says := m.Broker + " takes the vehicle in"
	if leaf == nil {
		return checkup{part, healthy, says, ""}
	}
	says += ", certificate good until " + leaf.NotAfter.UTC().Format(time.DateOnly)
	if leaf.NotAfter.Sub(now) < soonExpired {
		return checkup{part, doubt, says, "renew the broker's certificate before that"}
	}
	for _, own := range t.Certificates {
		cert, err := x509.ParseCertificate(own.Certificate[0])
		if err != nil {
			return checkup{part, ill, fmt.Sprintf("%s: %v", m.TLS.CertFile, err), "put the right file back"}
		}
		if cert.NotAfter.Sub(now) < soonExpired {
			return checkup{part, doubt, fmt.Sprintf("%s; the vehicle's own until %s", says, cert.NotAfter.UTC().Format(time.DateOnly)), "renew " + m.TLS.CertFile + " before that"}
		}
	}
	return checkup{part, healthy, says, ""}
}
