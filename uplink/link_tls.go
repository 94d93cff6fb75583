package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// readClock makes certificates be judged by a clock other than the system's.
func (b broker) readClock(clock func() time.Time) {
	if b.tls != nil && clock != nil {
		b.tls.Time = clock
	}
}

// sayWhen adds to the refusal of a certificate that it is refused for its time
// only: a board that has no clock battery meets that more often than an expired
// certificate, and the mend is another one.
func sayWhen(err error, config *tls.Config) error {
	var refused *tls.CertificateVerificationError
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &refused) || !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		return err
	}
	chain := refused.UnverifiedCertificates
	if !goodAt(chain, config, invalid.Cert.NotBefore) {
		return err
	}
	now := time.Now()
	if config.Time != nil {
		now = config.Time()
	}
	mend := "renew it, or set the clock if that is not the present time"
	if now.Before(invalid.Cert.NotBefore) {
		mend = "wait for a GPS fix, set the system's clock, or raise time.floor"
	}
	return fmt.Errorf("this is a clock problem or an expired certificate: it is good from %s to %s, and the time here is %s; %s: %w",
		stamp(invalid.Cert.NotBefore), stamp(invalid.Cert.NotAfter), stamp(now), mend, err)
}

// goodAt tells whether a chain of certificates would be accepted at another time.
func goodAt(chain []*x509.Certificate, config *tls.Config, at time.Time) bool {
	if len(chain) == 0 {
		return false
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: config.RootCAs, Intermediates: between, DNSName: config.ServerName, CurrentTime: at.Add(time.Second),
	})
	return err == nil
}
