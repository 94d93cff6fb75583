package main

import (
	"testing"

	"gadeblik/cmd/gadeblik/config"
)

func TestDoctorBorrowsTheServicesCredentials(t *testing.T) {
	k := kernel(t, map[string]string{
		"lib/systemd/system/gadeblik.service":             unit,
		"etc/systemd/system/gadeblik.service.d/some.conf": "[Service]\nLoadCredential=mqtt.password:/etc/gadeblik/mqtt.password\nLoadCredentialEncrypted=vehicle.key:/etc/gadeblik/vehicle.key\n",
	})
	root, user := account{name: "root"}, account{name: "pi", uid: 1000}
	connected := &condition{}
	connected.Status.Counters = map[string]uint64{"uplink_connected": 1}
	for _, tt := range []struct {
		name              string
		self              account
		agent             *condition
		m                 config.MQTT
		state, says, mend string // state "" is no line
		file              string // that the password is then read from
	}{
		{name: "none named", self: user},
		{name: "a file", self: user, m: config.MQTT{PasswordFile: "/etc/gadeblik/password"}, file: "/etc/gadeblik/password"},
		{name: "root", self: root, m: config.MQTT{PasswordFile: "mqtt.password"}, file: "/etc/gadeblik/mqtt.password"},
		{name: "somebody", self: user, m: config.MQTT{PasswordFile: "mqtt.password"}, state: doubt, says: "mqtt.password_file: mqtt.password is a credential", mend: "sudo"},
		{name: "somebody, while the agent works", self: user, agent: connected, m: config.MQTT{PasswordFile: "mqtt.password", Broker: "tcp://b:1"}, state: healthy, says: "the agent is connected to tcp://b:1"},
		{name: "somebody, while the agent tries", self: user, agent: &condition{}, m: config.MQTT{PasswordFile: "mqtt.password"}, state: doubt, says: "credential", mend: "sudo"},
		{name: "unknown", self: root, agent: connected, m: config.MQTT{PasswordFile: "password"}, state: ill, says: "no credential of that name", mend: "LoadCredential=password:FILE"},
		{name: "encrypted", self: root, m: config.MQTT{TLS: config.TLS{KeyFile: "vehicle.key"}}, state: doubt, says: "mqtt.tls.key_file: only systemd can open", mend: "switch status"},
	} {
		v := &visit{kernelFiles: k, self: tt.self, agent: tt.agent}
		c, no := v.borrow(&tt.m)
		switch {
		case no != (tt.state != ""):
			t.Errorf("%s: %t, %+v", tt.name, no, c)
		case no:
			c.is(t, tt.name, tt.state, tt.says, tt.mend)
		case tt.m.PasswordFile != tt.file:
			t.Errorf("%s: the password is read from %s, want %s", tt.name, tt.m.PasswordFile, tt.file)
		}
	}
}
