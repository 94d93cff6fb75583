package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"gadeblik/cmd/gadeblik/config"
)

// credential is what the unit says of a credential: the file that it is loaded from, ""
// where only systemd can open it; not ok where the service gets none of that name.
func (k kernelFiles) credential(name string) (file string, ok bool) {
	for _, entry := range strings.Fields(k.unitSays("LoadCredential")) {
		if id, path, _ := strings.Cut(entry, ":"); id == name && filepath.IsAbs(path) {
			return path, true
		}
	}
	for _, entry := range strings.Fields(k.unitSays("LoadCredentialEncrypted")) {
		if id, _, _ := strings.Cut(entry, ":"); id == name {
			return "", true
		}
	}
	return "", false
}

// borrow puts files in the place of the credentials that m names: systemd gives those to
// the service alone, and root may look where they come from. The line says what stands in
// the way; not ok where nothing does.
func (v *visit) borrow(m *config.MQTT) (checkup, bool) {
	const part = "broker"
	for _, f := range []struct {
		key  string
		name *string
	}{
		{"mqtt.password_file", &m.PasswordFile},
		{"mqtt.tls.ca_file", &m.TLS.CAFile},
		{"mqtt.tls.cert_file", &m.TLS.CertFile},
		{"mqtt.tls.key_file", &m.TLS.KeyFile},
	} {
		name := *f.name
		if name == "" || filepath.Base(name) != name || exists(name) {
			continue
		}
		file, lent := v.credential(name)
		switch {
		case !lent:
			return checkup{part, ill, fmt.Sprintf("%s: there is no file %s, and the service has no credential of that name", f.key, name),
				fmt.Sprintf("give the service one (`LoadCredential=%s:FILE`, as in /usr/share/doc/gadeblik/examples/mqtt-password.conf), or name a file with its whole path", name)}, true
		case v.agent != nil && v.agent.Status.Counters["uplink_connected"] == 1 && (file == "" || v.self.uid != 0):
			return checkup{part, healthy, "the agent is connected to " + m.Broker, ""}, true
		case file == "":
			return checkup{part, doubt, fmt.Sprintf("%s: only systemd can open the credential %s", f.key, name), "start the service; `gadeblik switch status` then says whether it is connected"}, true
		case v.self.uid != 0:
			return checkup{part, doubt, fmt.Sprintf("%s: %s is a credential that systemd gives the service alone", f.key, name), "ask again with sudo"}, true
		}
		*f.name = file
	}
	return checkup{}, false
}
